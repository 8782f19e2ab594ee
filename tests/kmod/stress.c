// SPDX-License-Identifier: MIT
/*
 * Everything at once, for a while: appenders that get signals and are killed, readers that check
 * each record's digests as it appears, trims, a TPM that is slow, fails and goes away,
 * claims that fail. One reader archives all there ever was. In the end each call's
 * entries are in the archive once, in the record that the call named, or not at all if it
 * said so, and the PCR is explained by the archive.
 *
 *	stress SECONDS [SEED]
 *
 * Needs run-guest --tpm-proxy, and a kernel with fault injection.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "chance.h"
#include "follow.h"

#define APPENDERS 16
#define READERS 8
#define ENTRIES 8   /* the most in a call */
#define CALLS 65536 /* the most of an appender */
#define LABEL "stress"
#define FILES "/disk" /* one for each appender, with fs-verity */
#define FAULTS "/sys/kernel/debug/assay/"
#define ARCHIVE_BYTES (1ULL << 29)
#define ARCHIVE_RECORDS (1U << 20)

/* ------------------------------------------------------------------ what all share */
enum call_state {
	CALL_NONE,
	CALL_MADE, /* and not answered: the caller was killed */
	CALL_ANSWERED,
};

struct call {
	uint8_t state;
	uint8_t entries;
	bool measure;
	int16_t result;
	uint64_t recnum; /* as told */
	/* Of an APPEND, by the archive: */
	uint8_t found; /* a bit for each entry */
	uint64_t found_in;
};

struct appender {
	pid_t process;
	uint32_t calls;
	uint64_t early; /* answered with 0 before they were anchored */
	uint64_t files; /* entries of MEASUREs in the archive */
	struct call call[CALLS];
};

struct reader {
	pthread_t thread;
	unsigned int number;
	uint64_t records;
	uint64_t cuts;
	const char *wrong;
};

static struct shared {
	bool stop; /* appenders */
	bool end;  /* readers */
	struct appender appenders[APPENDERS];
	struct reader readers[READERS];
} * shared;

/* So that no appender inherits the TPM's device, which one process may have open. */
static pthread_mutex_t fork_lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static void pause_ms(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* ------------------------------------------------------------------ appenders */
/* What is in the data of each event. */
struct mark {
	uint32_t appender;
	uint32_t call;
	uint32_t entry;
};

static void make_call(struct appender *appender, uint32_t number, int fd, int file,
		      const struct log *log, struct chance *chance)
{
	struct assay_measure_entry files[ENTRIES] = {};
	struct assay_append_entry events[ENTRIES];
	struct call *call = &appender->call[appender->calls];
	struct assay_measure measured = {};
	struct assay_append appended = {};
	uint8_t data[ENTRIES][256];
	int result;

	call->entries = (uint8_t)(1 + below(chance, ENTRIES));
	call->measure = one_in(chance, 8);
	for (uint32_t i = 0; i < call->entries; i++) {
		const struct mark mark = { number, appender->calls, i };

		files[i].fd = file;
		memset(data[i], (int)i, sizeof(data[i]));
		memcpy(data[i], &mark, sizeof(mark));
		events[i] = event(LABEL, data[i],
				  sizeof(mark) + below(chance, sizeof(data[i]) - sizeof(mark)));
	}
	__atomic_store_n(&call->state, CALL_MADE, __ATOMIC_RELEASE);
	__atomic_store_n(&appender->calls, appender->calls + 1, __ATOMIC_RELEASE);
	if (call->measure)
		result = measure(fd, 0, files, call->entries, &measured);
	else
		result = append_all(fd, events, call->entries, &appended);
	call->result = (int16_t)result;
	call->recnum = call->measure ? measured.recnum : appended.recnum;
	if (!result &&
	    __atomic_load_n(&log->header->anchored_records, __ATOMIC_ACQUIRE) <= call->recnum)
		appender->early++;
	__atomic_store_n(&call->state, CALL_ANSWERED, __ATOMIC_RELEASE);
}

static void append_until_stopped(uint32_t number, uint64_t seed)
{
	struct appender *appender = &shared->appenders[number];
	struct chance chance = { seed };
	int fd = open_assay(O_RDWR), file;
	struct log log = map_log(fd);
	char path[64];

	snprintf(path, sizeof(path), FILES "/%u", number);
	file = open(path, O_RDONLY | O_CLOEXEC);
	need(file >= 0, "open %s", path);
	while (!is_set(&shared->stop) && appender->calls < CALLS)
		make_call(appender, number, fd, file, &log, &chance);
	_exit(0);
}

static void on_signal(int signal)
{
	(void)signal;
}

static void start_appender(uint32_t number, struct chance *chance)
{
	uint64_t seed = draw(chance);
	pid_t process;

	pthread_mutex_lock(&fork_lock);
	process = fork();
	need(process >= 0, "fork");
	if (process == 0)
		append_until_stopped(number, seed);
	pthread_mutex_unlock(&fork_lock);
	shared->appenders[number].process = process;
}

/* Signals with a handler to all, and now and then one that kills. Returns how many were killed. */
static unsigned int disturb_appenders(struct chance *chance, time_t until)
{
	unsigned int killed = 0;

	for (unsigned int round = 1; time(NULL) < until; round++) {
		pause_ms(20);
		for (uint32_t i = 0; i < APPENDERS; i++)
			kill(shared->appenders[i].process, SIGUSR1);
		if (round % 10 == 0) {
			uint32_t victim = (uint32_t)below(chance, APPENDERS);

			kill(shared->appenders[victim].process, SIGKILL);
			waitpid(shared->appenders[victim].process, NULL, 0);
			killed++;
			start_appender(victim, chance);
		}
	}
	return killed;
}

/* ------------------------------------------------------------------ readers */
/* Through the mapping, in step with what is written. */
static void read_mapped(struct reader *reader, struct follower *follower, const struct log *log)
{
	struct record record;

	follow_start(follower, log);
	while (!reader->wrong && !is_set(&shared->end)) {
		switch (follow_next(follower, &record)) {
		case FOLLOWED:
			reader->records++;
			break;
		case FOLLOW_END:
			pause_ms(1);
			break;
		case FOLLOW_CUT:
			reader->cuts++;
			follow_start(follower, log);
			break;
		case FOLLOW_BAD:
			reader->wrong = follower->wrong;
		}
	}
}

/* With read(): records come whole, from the head on and again from there when it is behind. */
static void read_file(struct reader *reader, struct follower *follower, const struct log *log)
{
	const size_t size = 1 << 20;
	int fd = open_assay(O_RDONLY | O_NONBLOCK);
	uint8_t *buffer = malloc(size);

	need(buffer, "memory");
	follow_start(follower, log);
	while (!reader->wrong && !is_set(&shared->end)) {
		ssize_t got = read(fd, buffer, size);
		const uint8_t *bytes = buffer;
		size_t rest = got > 0 ? (size_t)got : 0;
		struct record record;

		if (got < 0 && errno == ESTALE) {
			reader->cuts++;
			lseek(fd, 0, SEEK_SET);
			continue;
		}
		if (got < 0 && errno != EAGAIN)
			reader->wrong = strerror(errno);
		if (got <= 0)
			pause_ms(1);
		for (; rest && !reader->wrong; reader->records++) {
			if (!next_record(&bytes, &rest, &record))
				reader->wrong = "no record";
			else if (!follow_extend(follower, &record))
				reader->wrong = "a digest is not that of the content";
		}
	}
	free(buffer);
	close(fd);
}

static void *read_log(void *argument)
{
	struct reader *reader = argument;
	struct follower follower = {};
	int fd = open_assay(O_RDONLY);
	struct log log = map_log(fd);

	if (reader->number % 4 == 3)
		read_file(reader, &follower, &log);
	else
		read_mapped(reader, &follower, &log);
	follow_end(&follower);
	unmap_log(&log);
	close(fd);
	return NULL;
}

/* ------------------------------------------------------------------ the archive */
static struct archive {
	struct log log;
	struct follower follower;
	uint8_t *bytes;			     /* of the log, at their offsets */
	uint8_t (*before)[ASSAY_MAX_DIGEST]; /* the PCR's first bank before each record */
	uint64_t records;		     /* archived; what others may trim */
	uint64_t trims;
	uint64_t strange; /* events that nobody can have sent */
	uint64_t doubled;
	const char *wrong;
} archive;

static void archive_event(const struct record *record, const struct tlv *event)
{
	struct tlv data = find_tlv(event->value, event->size, ASSAY_FIELD_DATA);
	struct mark mark;
	struct call *call;

	if (!data.value || data.size < sizeof(mark)) {
		archive.strange++;
		return;
	}
	memcpy(&mark, data.value, sizeof(mark));
	if (mark.appender >= APPENDERS ||
	    mark.call >=
		    __atomic_load_n(&shared->appenders[mark.appender].calls, __ATOMIC_ACQUIRE) ||
	    mark.entry >= shared->appenders[mark.appender].call[mark.call].entries) {
		archive.strange++;
		return;
	}
	call = &shared->appenders[mark.appender].call[mark.call];
	/* All of a call in one record, in order. */
	if (call->found != (1U << mark.entry) - 1 ||
	    (call->found && call->found_in != record->number))
		archive.doubled++;
	call->found |= (uint8_t)(1U << mark.entry);
	call->found_in = record->number;
}

static void archive_file(const struct tlv *file)
{
	struct tlv path = find_tlv(file->value, file->size, ASSAY_FIELD_PATH);
	struct tlv digest = find_tlv(file->value, file->size, ASSAY_FIELD_DIGEST);
	const size_t prefix = strlen(FILES "/");
	unsigned long number = APPENDERS;
	char text[64] = "";

	if (path.value && path.size < sizeof(text))
		memcpy(text, path.value, path.size);
	if (strncmp(text, FILES "/", prefix) == 0)
		number = strtoul(text + prefix, NULL, 10);
	if (number >= APPENDERS || digest.size != 2 + 32)
		archive.strange++;
	else
		shared->appenders[number].files++;
}

/* What a TRIM says of what went, against what went. */
static bool archive_trim(const struct record *record)
{
	struct tlv recnum = field(record, ASSAY_FIELD_CUT_RECNUM);
	struct tlv offset = field(record, ASSAY_FIELD_CUT_OFFSET);
	struct tlv size = field(record, ASSAY_FIELD_CUT_SIZE);
	struct tlv digest = field(record, ASSAY_FIELD_CUT_DIGEST);
	struct tlv values = field(record, ASSAY_FIELD_PCR_VALUES);
	const struct follower_bank *bank = &archive.follower.banks[0];
	uint64_t keep, end, bytes;
	struct tlv value;
	uint8_t own[32];

	archive.trims++;
	if (recnum.size != 8 || offset.size != 8 || size.size != 8 || digest.size != 2 + 32 ||
	    !values.value)
		return false;
	keep = be(recnum.value, 8);
	end = be(offset.value, 8);
	bytes = be(size.value, 8);
	if (keep > record->number || end > archive.follower.offset || bytes > end ||
	    be(digest.value, 2) != ASSAY_ALG_SHA256)
		return false;
	sha(32, archive.bytes + end - bytes, (size_t)bytes, own);
	value = find_tlv(values.value, values.size, ASSAY_CEL_DIGEST_TYPE(bank->alg));
	return memcmp(digest.value + 2, own, 32) == 0 && value.size == bank->size &&
	       memcmp(value.value, archive.before[keep], bank->size) == 0;
}

static void archive_record(const struct record *record, uint64_t offset)
{
	const uint8_t *fields = record->fields;
	size_t size = record->fields_size;
	struct tlv tlv;

	memcpy(archive.bytes + offset, archive.follower.copy,
	       (size_t)(archive.follower.offset - offset));
	while (next_tlv(&fields, &size, &tlv)) {
		if (tlv.type == ASSAY_FIELD_EVENT)
			archive_event(record, &tlv);
		else if (tlv.type == ASSAY_FIELD_FILE)
			archive_file(&tlv);
	}
	if (record->kind == ASSAY_KIND_TRIM && !archive_trim(record))
		archive.wrong = "a TRIM record is not right";
}

/* Takes all there is; false once something is wrong. */
static bool archive_all(void)
{
	struct follower *follower = &archive.follower;
	struct record record;

	while (!archive.wrong) {
		uint64_t offset = follower->offset;

		if (follower->number >= ARCHIVE_RECORDS - 1 ||
		    offset + archive.log.header->ring_size > ARCHIVE_BYTES)
			archive.wrong = "more than the archive holds";
		memcpy(archive.before[follower->number], follower->banks[0].value,
		       follower->banks[0].size);
		switch (follow_next(follower, &record)) {
		case FOLLOW_END:
			return true;
		case FOLLOW_CUT:
			archive.wrong = "cut before it was archived";
			break;
		case FOLLOW_BAD:
			archive.wrong = follower->wrong;
			break;
		case FOLLOWED:
			archive_record(&record, offset);
			__atomic_store_n(&archive.records, follower->number, __ATOMIC_RELEASE);
		}
	}
	return false;
}

static void *keep_archive(void *argument)
{
	(void)argument;
	while (!is_set(&shared->end) && archive_all())
		pause_ms(1);
	return NULL;
}

/* ------------------------------------------------------------------ trims */
static struct trimmer {
	struct chance chance;
	uint64_t pending; /* where a TRIM record that waits wants the head */
	unsigned int trims;
	unsigned int failed;
	const char *wrong;
} trimmer;

/* Is the TRIM record that waited last still waiting? */
static bool trim_waits(const struct assay_log_header *header)
{
	return trimmer.pending > header->head_recnum;
}

/* What trims may take: all that is archived and anchored, but the last record. */
static void trim_some(int fd, const struct log *log)
{
	const struct assay_log_header before = follow_header(log);
	uint64_t archived = __atomic_load_n(&archive.records, __ATOMIC_ACQUIRE);
	uint64_t last = archived < before.anchored_records ? archived : before.anchored_records;
	struct assay_trim request = {};
	struct assay_log_header after;
	int result;

	if (last < before.head_recnum + 3)
		return;
	request.keep =
		before.head_recnum + 1 + below(&trimmer.chance, last - before.head_recnum - 1);
	result = call(fd, ASSAY_IOC_TRIM, &request);
	after = follow_header(log);
	if (!result) {
		trimmer.trims++;
		if (after.head_recnum != request.keep || after.head != request.head ||
		    memcmp(after.banks[0].start, archive.before[request.keep],
			   digest_size(after.banks[0].alg)) != 0)
			trimmer.wrong = "the header after a TRIM is not right";
		return;
	}
	trimmer.failed++;
	/* What waited may have been cut before, or by it, and with it what it was to cut. */
	if (result == -EPERM || result == -ENOTTY ||
	    ((result == -EINVAL || result == -ENODATA) && request.keep > trimmer.pending))
		trimmer.wrong = strerror(-result);
	else if (after.head != before.head && after.head_recnum != trimmer.pending &&
		 (request.recnum == ASSAY_RECNUM_NONE || after.head_recnum != request.keep))
		trimmer.wrong = "a TRIM failed, and the head moved";
	if (request.recnum != ASSAY_RECNUM_NONE && !trim_waits(&after))
		trimmer.pending = request.keep;
}

static void *trim(void *argument)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);

	(void)argument;
	while (!is_set(&shared->stop) && !trimmer.wrong) {
		trim_some(fd, &log);
		pause_ms((unsigned int)below(&trimmer.chance, 200));
	}
	unmap_log(&log);
	close(fd);
	return NULL;
}

/* ------------------------------------------------------------------ what fails */
static void set_fault(const char *point, unsigned int percent)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), FAULTS "%s/times", point);
	need(!write_text(path, "-1"), "write %s", path);
	snprintf(path, sizeof(path), FAULTS "%s/probability", point);
	snprintf(text, sizeof(text), "%u", percent);
	need(!write_text(path, text), "write %s", path);
}

static void set_faults(bool on)
{
	set_fault("fail_claim", on ? 30 : 0);
	set_fault("fail_claim_final", on ? 10 : 0);
}

/* The TPM gets slow, fails in another way every half second, or goes away. */
static void *trouble_tpm(void *argument)
{
	struct chance *chance = argument;

	while (!is_set(&shared->stop)) {
		pthread_mutex_lock(&fork_lock);
		tpm_behave((unsigned int)below(chance, 20),
			   (enum tpm_proxy_fault)below(chance, TPM_PROXY_FAULTS),
			   (unsigned int)below(chance, 300));
		pthread_mutex_unlock(&fork_lock);
		pause_ms(500);
		if (one_in(chance, 10)) {
			bind_tpm(false);
			pause_ms(200);
			bind_tpm(true);
		}
	}
	tpm_behave(0, TPM_PROXY_NONE, 0);
	return NULL;
}

/* ------------------------------------------------------------------ the end */
/* Counts the calls whose entries are not where they should be. */
static void check_calls(void)
{
	uint64_t calls = 0, anchored = 0, pending = 0, none = 0, untold = 0;
	uint64_t lost = 0, early = 0, files_wrong = 0;

	for (uint32_t i = 0; i < APPENDERS; i++) {
		const struct appender *appender = &shared->appenders[i];
		uint64_t least = 0, most = 0;

		early += appender->early;
		calls += appender->calls;
		for (uint32_t n = 0; n < appender->calls; n++) {
			const struct call *call = &appender->call[n];
			bool told = call->state == CALL_ANSWERED;
			bool in = told && call->recnum != ASSAY_RECNUM_NONE;
			uint8_t all = (uint8_t)((1U << call->entries) - 1);

			untold += !told;
			anchored += in && !call->result;
			pending += in && call->result;
			none += told && !in;
			if (told && !in && !call->result)
				lost++;
			if (call->measure) {
				least += in ? call->entries : 0;
				most += in || !told ? call->entries : 0;
			} else if (told) {
				lost += call->found != (in ? all : 0) ||
					(in && call->found_in != call->recnum);
			} else {
				lost += call->found != 0 && call->found != all;
			}
		}
		files_wrong += appender->files < least || appender->files > most;
	}
	note("%llu calls: %llu anchored, %llu failed and pending, %llu failed, %llu callers killed",
	     (unsigned long long)calls, (unsigned long long)anchored, (unsigned long long)pending,
	     (unsigned long long)none, (unsigned long long)untold);
	check(anchored > 0 && untold > 0 && pending > 0,
	      "calls worked, failed, and were cut off by a kill");
	check_is((long long)early, 0, "none was answered before it was anchored");
	check_is((long long)lost, 0,
		 "none has lost an entry, or has it elsewhere than it was told");
	check_is((long long)files_wrong, 0, "nor a file");
}

static void check_readers(void)
{
	for (unsigned int i = 0; i < READERS; i++) {
		const struct reader *reader = &shared->readers[i];

		check(!reader->wrong && reader->records > 0,
		      "reader %u found all %llu records good, and was cut off %llu times", i,
		      (unsigned long long)reader->records, (unsigned long long)reader->cuts);
		if (reader->wrong)
			note("  %s", reader->wrong);
	}
}

/* All that is pending, now that nothing fails any more. */
static void settle(int fd)
{
	int result = -1;

	for (int tries = 0; tries < 100 && result; tries++) {
		result = anchor(fd, NULL);
		if (result)
			pause_ms(100);
	}
	check_is(result, 0, "ANCHOR anchors what is pending");
}

static void check_archive(int fd)
{
	struct assay_info info = get_info(fd);

	check(archive_all(), "the archive is whole: %llu records, %llu of them trims",
	      (unsigned long long)archive.follower.number, (unsigned long long)archive.trims);
	if (archive.wrong)
		note("  record %llu: %s", (unsigned long long)archive.follower.number,
		     archive.wrong);
	check(!archive.strange && !archive.doubled,
	      "nothing in it is there twice, or was never sent");
	check(info.anchored_records == archive.follower.number &&
		      info.records == info.anchored_records,
	      "all of it is anchored");
	check(follow_matches_pcr(&archive.follower), "the PCR is explained in every bank");
}

static void *share(size_t size)
{
	void *place = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need(place != MAP_FAILED, "map %zu bytes", size);
	return place;
}

int main(int count, char *arguments[])
{
	const struct sigaction action = { .sa_handler = on_signal };
	pthread_t archiving, trimming, troubling;
	struct chance chance, tpm_chance;
	unsigned int killed;
	time_t seconds;
	int fd;

	need(count == 2 || count == 3, "usage: stress SECONDS [SEED]");
	seconds = strtol(arguments[1], NULL, 0);
	if (count == 3)
		chance.state = strtoull(arguments[2], NULL, 0);
	else
		need(getrandom(&chance.state, sizeof(chance.state), 0) == sizeof(chance.state),
		     "a seed");
	note("seed %#llx", (unsigned long long)chance.state);
	trimmer.chance.state = draw(&chance);
	tpm_chance.state = draw(&chance);
	shared = share(sizeof(*shared));
	archive.bytes = share(ARCHIVE_BYTES);
	archive.before = share(ARCHIVE_RECORDS * sizeof(*archive.before));
	need(!sigaction(SIGUSR1, &action, NULL), "sigaction");
	fd = open_assay(O_RDWR);
	archive.log = map_log(fd);
	follow_start(&archive.follower, &archive.log);
	set_faults(true);

	for (uint32_t i = 0; i < APPENDERS; i++)
		start_appender(i, &chance);
	need(!pthread_create(&archiving, NULL, keep_archive, NULL), "a thread");
	for (unsigned int i = 0; i < READERS; i++) {
		shared->readers[i].number = i;
		need(!pthread_create(&shared->readers[i].thread, NULL, read_log,
				     &shared->readers[i]),
		     "a thread");
	}
	need(!pthread_create(&trimming, NULL, trim, NULL), "a thread");
	need(!pthread_create(&troubling, NULL, trouble_tpm, &tpm_chance), "a thread");
	killed = disturb_appenders(&chance, time(NULL) + seconds);

	set(&shared->stop);
	pthread_join(troubling, NULL);
	set_faults(false);
	for (uint32_t i = 0; i < APPENDERS; i++)
		waitpid(shared->appenders[i].process, NULL, 0);
	pthread_join(trimming, NULL);
	settle(fd);
	set(&shared->end);
	pthread_join(archiving, NULL);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(shared->readers[i].thread, NULL);

	check_archive(fd);
	check_readers();
	check_calls();
	check(killed > 0, "callers were killed: %u", killed);
	check(trimmer.trims > 0 && !trimmer.wrong, "trims worked: %u, and %u failed", trimmer.trims,
	      trimmer.failed);
	if (trimmer.wrong)
		note("  %s", trimmer.wrong);
	check(read_number(MISC "log/anchor_failures") > 0, "the TPM failed: %lld times",
	      read_number(MISC "log/anchor_failures"));
	check(read_number(MISC "regions/0/claim_retries") > 0, "claims were busy: %lld times",
	      read_number(MISC "regions/0/claim_retries"));
	return tap_end();
}
