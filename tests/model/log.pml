/* SPDX-License-Identifier: MIT */
/*
 * A model of the log for spin: queue and committer (kmod/commit.c), records (kmod/ledger.c), the
 * PCR (kmod/anchor.c), and a TPM that fails, with everything left out that is not about
 * order. Checked in every order of events within the limits below; see tests/model/check.
 *
 * A PCR is the number of records that it holds, from record 0 on and in order, or OTHER
 * if it holds anything else. So an extend with record N is right when the PCR holds N.
 *
 * What must hold:
 *  - the PCR is extended with each record once, in their order
 *  - what is answered with "ok" is in the record that is named, and that record was in
 *    the PCR before the answer: whatever others do to the PCR meanwhile, where it is read after
 *    each extend (VERIFY: verify=each), and with ANCHOR always; else unless they do something
 *  - what a caller brings is in one record or in none, and the answer says which
 *  - who is told that there is no room did not have it alone
 *  - records are trimmed once the one that says so is anchored; the room kept for a TRIM is not
 *    taken by those that cannot be anchored
 *  - each caller gets an answer, and nobody waits for ever: that is spin's own check of end
 *    states, as no loop here goes round without an event of which there are finitely many
 *  - what could be anchored in the end is, and the log cut as it says, without a further call
 *
 * Each MUTANT_* makes one mistake. spin must find what is wrong then, or the model could
 * not tell.
 *
 * run: two callers, three troubles: -DTROUBLES=3
 * run: two callers and ANCHOR, one trouble: -DTROUBLES=1 -DANCHOR
 * run: one caller and TRIM: -DCALLERS=1 -DTRIM
 * run: one caller, TRIM that fails, and too little room: -DCALLERS=1 -DROOM=4 -DTRIM
 * run: three callers for one place: -DTROUBLES=1 -DCALLERS=3 -DPLACES=1
 * run: three callers and too little room: -DTROUBLES=1 -DCALLERS=3 -DROOM=4
 * run: one caller, PCR read after each extend, and ANCHOR: -DTROUBLES=2 -DCALLERS=1 -DVERIFY -DANCHOR
 * run: two callers, PCR read after each extend: -DTROUBLES=2 -DVERIFY
 * deep: two callers, PCR read after each extend, three troubles: -DTROUBLES=3 -DVERIFY
 * deep: two callers and ANCHOR: -DANCHOR
 * deep: two callers and TRIM: -DTROUBLES=1 -DTRIM
 * deep: one caller, TRIM that fails, and too little room: -DTROUBLES=3 -DCALLERS=1 -DROOM=4 -DTRIM
 * deep: two callers, ANCHOR and TRIM, one trouble: -DTROUBLES=1 -DANCHOR -DTRIM
 * deep: three callers, two troubles: -DCALLERS=3
 * deep: two callers, four troubles: -DTROUBLES=4
 * mutant: MUTANT_ANCHOR_LIES: -DANCHOR
 * mutant: MUTANT_ANCHOR_TRUSTS: -DTROUBLES=1 -DCALLERS=1 -DANCHOR
 * mutant: MUTANT_READS_BEFORE: -DTROUBLES=1 -DCALLERS=1 -DVERIFY
 * mutant: MUTANT_TRIMS_TOO_EARLY: -DTRIM
 * mutant: MUTANT_TRIMS_UNSETTLED: -DTRIM
 * mutant: MUTANT_LEAVES_CUT: -DTRIM
 * mutant: MUTANT_FORGETS_CUT: -DCALLERS=1 -DROOM=4 -DTRIM
 * mutant: MUTANT_LEAVES_SILENTLY: -DCALLERS=3 -DPLACES=1
 * mutant: MUTANT_TAKES_SILENTLY: -DCALLERS=3 -DPLACES=1
 * mutant: MUTANT_REFUSES_ALL: -DCALLERS=3 -DROOM=4
 * mutant: MUTANT_FULL_TOO_LATE: -DCALLERS=3 -DROOM=4
 * mutant: MUTANT_NO_RESERVE: -DCALLERS=3 -DROOM=4
 */

/* The limits of a run; ANCHOR and TRIM: whether these are called in it. */
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef PLACES
#define PLACES 2 /* in the queue */
#endif
#ifndef GROUP
#define GROUP 2 /* requests that a record takes */
#endif
#ifndef ROOM
#define ROOM 6 /* of the ring: START, TPM and TRIM take 1, a request 1, so a record of two takes 2 */
#endif
#ifndef TROUBLES
#define TROUBLES 2
#endif

#define RECORDS 8 /* more than are ever written */
#define OTHER 255
#define NOWHERE 254

mtype = { none, ok, tpm_failed, unclean, no_space, interrupted };

/*
 * What goes wrong, at any time, but all in all only so often: a command of the TPM fails, it
 * goes away (and may come back), it is restarted and its PCRs begin anew, with the driver told
 * or not, somebody else extends the PCR, a caller gets a fatal signal.
 */
byte troubles = TROUBLES;

/* ------------------------------------------------------------------ the TPM */
bool present; /* its driver is bound */
byte generation = 1; /* of the driver's chip: another whenever it is bound anew */
byte pcr; /* see above */
byte was_in_pcr; /* how many records the PCR has ever held */
bool strange; /* the PCR was extended or reset, and no command failed */

/* The PCR changes, and only who reads it can tell. */
inline change_silently()
{
	troubles--;
	strange = true;
	if
	:: pcr = OTHER
	:: pcr = 0
	fi
}

inline pcr_takes(number)
{
	assert(strange || pcr == number);
	if
	:: pcr == number ->
		pcr = number + 1;
		if
		:: pcr > was_in_pcr -> was_in_pcr = pcr
		:: else
		fi
	:: else -> pcr = OTHER
	fi
}

/* tpm_pcr_extend(): what is said and what was done are two things */
inline tpm_extend(number, ret)
{
	if
	:: !present || chip != generation ->
		detach();
		ret = tpm_failed
	:: else ->
		if
		:: pcr_takes(number);
		   ret = ok
		:: troubles > 0 ->
			troubles--;
			ret = tpm_failed
		:: troubles > 0 ->
			troubles--;
			pcr_takes(number);
			ret = tpm_failed
		fi
	fi
}

active proctype environment()
{
end:	do
	:: atomic { present && troubles > 0 -> troubles--; present = false }
	:: atomic { !present -> present = true; generation++ }
	:: atomic { present && troubles > 0 -> troubles--; generation++; pcr = 0 }
	:: atomic { present && troubles > 0 -> change_silently() }
	od
}

/* ------------------------------------------------------------------ the anchor */
byte chip; /* the generation that is known, 0 for none */
bool doubtful; /* what the PCR holds is not certain */
byte ahead; /* pending records that turned out to be in the PCR */

inline detach()
{
	chip = 0;
#ifdef MUTANT_TRUSTS_WHAT_COMES_BACK
	doubtful = false
#else
	doubtful = true
#endif
}

inline attach(ret)
{
	atomic {
		if
		:: chip != 0 -> ret = ok
		:: chip == 0 && present -> chip = generation; ret = ok
		:: chip == 0 && !present -> ret = tpm_failed
		fi
	}
}

/* After an extend of which the outcome is not known: ask the PCR. */
inline resolve(ret)
{
	atomic {
		if
		:: !present || chip != generation ->
			detach();
			ret = tpm_failed
		:: else ->
			if
			:: pcr != OTHER && pcr >= anchored && pcr <= records ->
				ahead = pcr - anchored;
				doubtful = false;
				ret = ok
			:: else ->
#ifdef MUTANT_IGNORES_STRANGERS
				ahead = 0;
				doubtful = false;
				ret = ok
#else
				ret = unclean
#endif
			:: troubles > 0 ->
				troubles--;
				ret = tpm_failed
			fi
		fi
	}
}

/* assay_anchor_read_back(): does the PCR hold what it was just extended with? */
inline read_back(ret)
{
#if defined(VERIFY) && !defined(MUTANT_READS_BEFORE)
	if
	:: true
	:: troubles > 0 -> change_silently()
	fi;
	doubtful = true;
	resolve(ret);
	if
	:: ret != ok
	:: ret == ok && ahead == 0 -> ret = tpm_failed
	:: ret == ok && ahead > 0 -> ahead--
	fi
#else
	skip
#endif
}

/* Anchor the oldest record that is pending. Others act between the TPM's commands. */
inline anchor_one(ret)
{
#ifdef MUTANT_READS_BEFORE
	doubtful = true;
#endif
#ifndef MUTANT_SENDS_AGAIN
	if
	:: doubtful -> resolve(ret)
	:: else
	fi;
#endif
	atomic {
		if
		:: ret != ok
		:: ret == ok && ahead > 0 ->
			ahead--
		:: ret == ok && ahead == 0 ->
			doubtful = true;
#ifdef MUTANT_NEWEST_FIRST
			tpm_extend(records - 1, ret);
#else
			tpm_extend(anchored, ret);
#endif
			if
			:: ret == ok ->
				doubtful = false;
				read_back(ret)
			:: else
			fi
		fi;
		if
		:: ret == ok -> anchored++
		:: else
		fi
	}
}

/* ------------------------------------------------------------------ the ledger */
bool lock;
byte records; /* written */
byte anchored; /* of them, in the PCR as far as is known */
byte head; /* the oldest that is kept */
byte used; /* of the ring's room */
byte cost[RECORDS]; /* of each record that is kept */
bool based; /* a record says what the PCR held before the log */

inline write_record(size)
{
	cost[records] = size;
	used = used + size;
	records++;
	assert(used <= ROOM)
}

/*
 * What is kept free: room for a TRIM always, since a full log could not be cut else; and
 * for a TPM record, until some record says what the PCR held before.
 */
#ifdef MUTANT_NO_RESERVE
#define HAS_ROOM(size) (used + (size) <= ROOM)
#else
#define HAS_ROOM(size) (used + (size) + (based -> 1 : 2) <= ROOM)
#endif

/* assay_ledger_settle() */
inline settle(ret)
{
	attach(ret);
	do
	:: ret == ok && anchored < records ->
		anchor_one(ret)
	:: atomic { ret == ok && anchored == records && !based ->
			/* The first TPM came after START, and holds what had been written. */
			write_record(1);
			based = true
	   }
	:: else -> break
	od;
	if
	:: ret == ok && doubtful -> resolve(ret)
	:: else
	fi
}

byte cut_record; /* the TRIM that is written while the head has not moved, 0 for none */
byte cut_keep; /* where the head is to be then */

/* assay_trim_cut() */
inline cut_log()
{
	atomic {
		if
		:: cut_record > 0 ->
			assert(cut_record < anchored);
			do
			:: head < cut_keep -> used = used - cost[head]; cost[head] = 0; head++
			:: else -> break
			od;
			cut_record = 0;
			cut_keep = 0
		:: else
		fi
	}
}

/* assay_trim_settle() */
inline settle_cut()
{
	atomic {
		if
#ifdef MUTANT_LEAVES_CUT
		:: false
#else
		:: cut_record > 0 && cut_record < anchored -> cut_log()
#endif
		:: else
		fi
	}
}

/* ------------------------------------------------------------------ the queue */
chan queue = [PLACES] of { byte };
bool work; /* queue_work() was called, and the committer has not started since */
bool asleep[CALLERS]; /* waits for a place */
bool taken[CALLERS]; /* off the queue, to be answered */
mtype answer[CALLERS] = none;
byte told[CALLERS] = NOWHERE; /* the record that the answer names */

/* Where each request really is, for the checks: in how many records, and in which. */
byte copies[CALLERS];
byte place[CALLERS];

inline wake_all()
{
	i = 0;
	do
	:: i < CALLERS -> asleep[i] = false; i++
	:: else -> break
	od;
	i = 0
}

/* ------------------------------------------------------------------ the committer */
byte batch[CALLERS]; /* what is taken; the first batch_size */
byte batch_size;
byte refused; /* requests of the record that had no room last */

/* assay_commit_take() */
inline take()
{
	d_step {
		do
		:: batch_size < GROUP && len(queue) > 0 ->
			queue ? batch[batch_size];
			taken[batch[batch_size]] = true;
			batch_size++
		:: batch_size == GROUP || len(queue) == 0 -> break
		od;
#ifndef MUTANT_TAKES_SILENTLY
		if
		:: batch_size > 0 -> wake_all()
		:: else
		fi
#endif
	}
}

/* assay_ledger_append(): the requests [first, end) of the batch, in one record or none */
inline append(first, end, settled, ret, number)
{
	atomic { !lock -> lock = true };
	settle(settled);
	atomic {
		number = NOWHERE;
		if
		:: settled == unclean -> ret = unclean
#ifdef MUTANT_FULL_TOO_LATE
		:: settled != unclean && !HAS_ROOM(end - first) ->
			put(first, end);
			refused = end - first;
			ret = no_space
#else
		:: settled != unclean && !HAS_ROOM(end - first) ->
			refused = end - first;
			ret = no_space
#endif
		:: settled != unclean && HAS_ROOM(end - first) ->
			number = records;
			put(first, end);
			write_record(end - first);
			ret = settled
		fi
	};
#ifndef MUTANT_ANSWERS_EARLY
	if
	:: number != NOWHERE && ret == ok -> settle(ret)
	:: else
	fi;
#endif
	lock = false
}

inline put(first, end)
{
	i = first;
	do
	:: i < end ->
		copies[batch[i]]++;
		place[batch[i]] = records;
		i++
	:: else -> break
	od;
	i = 0
}

inline finish(which, ret, number)
{
	d_step {
		assert(ret != no_space || refused == 1);
		taken[batch[which]] = false;
		told[batch[which]] = number;
		answer[batch[which]] = ret;
		batch[which] = 0
	}
}

/* The ordered workqueue: what was queued, or what could not be anchored once more. */
active proctype committer()
{
	mtype settled = none, ret = none;
	byte number = 0, one = 0, i = 0;

end:	do
	:: atomic { work -> work = false };
		do
		:: take();
			if
			:: batch_size == 0 -> break
			:: else
			fi;
			append(0, batch_size, settled, ret, number);
#ifdef MUTANT_REFUSES_ALL
			if
			:: false
#else
			if
			:: ret == no_space && batch_size > 1 ->
				/* One record has no room for all, but perhaps for some of them. */
				one = 0;
				do
				:: one < batch_size ->
					append(one, one + 1, settled, ret, number);
					finish(one, ret, number);
					one++
				:: else -> break
				od
#endif
			:: else ->
				one = 0;
				do
				:: one < batch_size -> finish(one, ret, number); one++
				:: else -> break
				od
			fi;
			atomic { batch_size = 0; settled = none; ret = none; number = 0; one = 0 };
			settle_cut()
		od
#ifndef MUTANT_NEVER_RETRIES
	:: atomic { !work && anchored < records && present && !lock -> lock = true };
		settle(ret);
		atomic { ret = none; lock = false };
		settle_cut()
#endif
	od
}

/* ------------------------------------------------------------------ callers */
byte arrived;
byte finished;

/* assay_commit() */
proctype caller(byte me)
{
	byte i = 0;

	/* They are alike, so they may as well come in the order of their numbers. */
	arrived == me;
	arrived++;
	do
	:: atomic { !asleep[me] && nfull(queue) -> queue ! me; work = true; break }
	:: atomic { !asleep[me] && full(queue) -> asleep[me] = true }
	:: atomic { asleep[me] && troubles > 0 ->
			troubles--;
			asleep[me] = false;
			answer[me] = interrupted;
			break
	   }
	od;
	if
	:: answer[me] != none
#ifdef MUTANT_KILLED_WHEN_TAKEN
	:: atomic { answer[me] == none && troubles > 0 ->
#else
	:: atomic { answer[me] == none && !taken[me] && troubles > 0 ->
#endif
			troubles--;
#ifndef MUTANT_KILLED_STAYS
			if
			:: queue ?? [eval(me)] -> queue ?? eval(me)
			:: else
			fi;
#endif
#ifndef MUTANT_LEAVES_SILENTLY
			wake_all();
#endif
			answer[me] = interrupted
	   }
	fi;
	atomic {
#ifdef VERIFY
		assert(answer[me] != ok || told[me] < was_in_pcr);
#else
		assert(answer[me] != ok || strange || told[me] < was_in_pcr);
#endif
		assert(answer[me] != interrupted || !taken[me]);
		finished++
	}
}

#ifdef ANCHOR
/* ANCHOR: what is pending, and nothing else; the PCR is read in any case. */
proctype anchorer()
{
	mtype ret = none;

	atomic { !lock -> lock = true };
	settle(ret);
#ifndef MUTANT_ANCHOR_TRUSTS
	if
	:: ret == ok -> resolve(ret)
	:: else
	fi;
#endif
	atomic {
#ifdef MUTANT_ANCHOR_LIES
		ret = ok;
#endif
		assert(ret != ok || (anchored == records && was_in_pcr >= records));
		ret = none;
		lock = false;
		finished++
	};
	settle_cut()
}
#endif

#ifdef TRIM
bool trims_unsettled; /* a TRIM was written while something was pending */

/* assay_trim_finish() */
inline finish_cut(ret)
{
	ret = ok;
#ifndef MUTANT_TRIMS_TOO_EARLY
	if
	:: cut_record > 0 && anchored <= cut_record ->
		atomic { !lock -> lock = true };
		settle(ret);
		lock = false
	:: else
	fi;
#endif
	if
	:: ret == ok -> cut_log()
	:: else
	fi
}

/*
 * assay_trim(), called twice: a record of its own, and once that is anchored the oldest ones
 * go. While something is pending it is not written; and if it cannot be anchored itself,
 * the next call goes on with it instead of writing another, since either would take the room
 * that is kept for one that cuts.
 */
proctype trimmer()
{
	mtype ret = none;
	byte keep = 0, calls = 0;

	do
	:: calls < 2 ->
		calls++;
#ifdef MUTANT_FORGETS_CUT
		atomic { cut_record = 0; cut_keep = 0 };
#endif
		finish_cut(ret);
		atomic {
			/* Any record that is anchored may be the oldest to keep. */
			keep = head;
			do
			:: keep + 1 < anchored -> keep++
			:: break
			od
		};
		if
		:: ret == ok && keep > head ->
			atomic { !lock -> lock = true };
			settle(ret);
			atomic {
				if
#ifdef MUTANT_TRIMS_UNSETTLED
				:: ret != unclean ->
#else
				:: ret == ok ->
#endif
					trims_unsettled = trims_unsettled || ret != ok;
					cut_record = records;
					cut_keep = keep;
					write_record(1)
				:: else
				fi
			};
			if
			:: cut_record > 0 && ret == ok -> settle(ret)
			:: else
			fi;
			lock = false;
#ifdef MUTANT_TRIMS_TOO_EARLY
			ret = ok;
#endif
			if
			:: ret == ok -> finish_cut(ret)
			:: else
			fi
		:: else
		fi
	:: else -> break
	od;
	atomic {
		assert(!trims_unsettled);
		ret = none;
		keep = 0;
		calls = 0;
		finished++
	}
}
#endif

init {
	byte i = 0;

	atomic {
		/* START is written when the module is loaded, whether there is a TPM or not. */
		if
		:: present = true; based = true; chip = generation
		:: skip
		fi;
		write_record(1);
		do
		:: i < CALLERS -> run caller(i); i++
		:: else -> break
		od;
#ifdef TRIM
		run trimmer();
#else
		finished++;
#endif
#ifdef ANCHOR
		run anchorer()
#else
		finished++
#endif
	};
	finished == CALLERS + 2;
	/* In the end all is anchored, unless the TPM is away or its PCR is not the log's. */
	(anchored == records || !present || pcr < anchored || pcr == OTHER) && !lock &&
		(cut_record == 0 || cut_record >= anchored);
	d_step {
		i = 0;
		do
		:: i < CALLERS ->
			assert(copies[i] == (told[i] != NOWHERE));
			assert(told[i] == NOWHERE || told[i] == place[i]);
			assert(answer[i] != ok || told[i] != NOWHERE);
			assert((answer[i] != no_space && answer[i] != interrupted) || copies[i] == 0);
			i++
		:: else -> break
		od
	}
}
