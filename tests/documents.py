#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/documents.py links|messages|commands [FILE...]: what the documents say is there, is there.

links: every relative link of the documents leads to a file, and its anchor to a heading of it, as
GitHub names headings; no document is without a link to it; paths in backticks are there. messages: every message that
docs/troubleshooting.md has is in the sources, word for word but for what printf fills in, which it
writes as "..."; each advice behind a check's name is that check's. commands: the commands, options,
targets of make and tests that the documents name are there; build/host has the programs.
Started by tests/lint documents and tests/e2e/test_documents.sh.
"""
import functools
import glob
import os
import re
import subprocess
import sys

TROUBLESHOOTING = "docs/troubleshooting.md"
ROOMS = ("completions", "docs", "examples", "kmod", "man", "patches", "policy", "qemu", "tests", "userspace")
FENCE = re.compile(r"^(```|~~~)")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^()\s]+)\)")
# Of a picture for each of the two schemes of colours, which Markdown has no words for.
ELEMENT = re.compile(r'<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="([^"]+)"')
STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:[A-Z][A-Za-z0-9_]*\s*)?"(?:[^"\\\n]|\\.)*")*')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
CONVERSION = re.compile(r"%[-+ #0]*[0-9*]*(?:\.[0-9*]+)?(?:hh|h|ll|l|z|j|t)?(?:p[a-zA-Z]+|[a-zA-Z])|%(?=\x00)")


def documents():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                            capture_output=True, text=True, check=False)
    names = listed.stdout.split("\n") if listed.returncode == 0 else \
        glob.glob("**/*.md", recursive=True)
    return sorted(n for n in names if n and os.path.exists(n) and
                  not n.startswith(("build/", "tests/data/")))


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def prose(text):
    """The text without code: fences and, on a line, what is in backticks."""
    fenced = False
    for line in text.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield re.sub(r"`[^`]*`", "``", line)


def anchors(text):
    seen = {}
    fenced = False
    for line in text.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else re.match(r"#{1,6} +(.*?)(?: +#+)?$", line)
        if not heading:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1))
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield slug if count == 0 else f"{slug}-{count}"


def wrong_links(names):
    linked = {"README.md"}
    for name in names:
        text = "\n".join(prose(read(name)))
        for target in LINK.findall(text) + ELEMENT.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not os.path.exists(path):
                yield f"{name}: {target} leads to no file"
                continue
            linked.add(path)
            if anchor and anchor not in anchors(read(path)):
                yield f"{name}: {target} leads to no heading of {path}"
        for path in re.findall(r"`([a-z]+/[\w.*/{},-]+)`", read(name)):
            # A word in capitals stands for any name.
            pattern = re.sub(r"[A-Z]{3,}", "*", path)
            if path.split("/")[0] in ROOMS and not glob.glob(pattern):
                yield f"{name}: there is no {path}"
    for name in sorted(set(names) - linked):
        yield f"{name}: no document has a link to it"


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text)


def literals():
    """Each text of the C sources, with what printf fills in as NUL, and each line of scripts."""
    for name in glob.glob("userspace/**/*.[ch]", recursive=True) + glob.glob("kmod/*.[ch]") + \
            ["userspace/lib/verify/checks.def"]:
        for match in STRINGS.finditer(read(name)):
            # A macro between two strings is filled in, too: its value stands elsewhere.
            text = re.sub(r'"\s*[A-Z]\w*\s*"', "\0", re.sub(r'"\s*"', "", match.group(0)))
            text = "".join(LITERAL.findall(text))
            yield re.sub("\0+", "\0", CONVERSION.sub("\0", unescape(text)))
    for name in glob.glob("qemu/*") + glob.glob("tests/*.sh"):
        if os.path.isfile(name):
            text = re.sub(r'"\s*\\\n\s*"', " ", read(name))
            yield from re.sub(r"\$\w+", "\0", text).split("\n")


def is_said(message, texts):
    """Whether one text has the pieces of a message, in their order."""
    pieces = [re.escape(p.strip()) for p in message.split("...") if p.strip()]
    pattern = re.compile(r"[\s\S]*?".join(pieces))
    return any(pattern.search(text) for text in texts)


def wrong_messages():
    texts = set(literals())
    checks = {}
    for row in re.split(r"^(?:CHECK|CONTENT)\(", read("userspace/lib/verify/checks.def"), flags=re.M)[1:]:
        strings = ["".join(LITERAL.findall(m.group(0))) for m in STRINGS.finditer(row)]
        if len(strings) >= 3:
            checks[strings[0]] = strings[-1]
    count = 0
    heading = None
    for number, line in enumerate(read(TROUBLESHOOTING).split("\n"), 1):
        where = f"{TROUBLESHOOTING}:{number}"
        match = re.match(r"#### `(.*)`$", line)
        if line.startswith("#### ") and not match:
            yield f"{where}: this heading is no message in backticks"
        elif match:
            count += 1
            heading = match.group(1)
            if heading not in checks and not is_said(heading, texts):
                yield f"{where}: no source says: {heading}"
        elif line.startswith("> ") and checks.get(heading) != line[2:]:
            yield f"{where}: {heading} advises: {checks.get(heading)}"
    if count < 30:
        yield f"{TROUBLESHOOTING}: only {count} messages were found in it"


def called(name):
    """What a document has people type that is assay's, or make's: each as one line."""
    fenced = None
    rest = ""
    for line in read(name).split("\n"):
        if FENCE.match(line.strip()):
            if fenced is not None:
                yield from re.sub(r"\\\n\s*", " ", fenced).split("\n")
            fenced = "" if fenced is None else None
        elif fenced is None:
            rest += line + "\n"
        else:
            fenced += line + "\n"
    for code in re.findall(r"`([^`]+)`", rest):
        yield code.replace("\n", " ")


def commands(names):
    """Each command line in the documents, from its command on, with the document's name."""
    for name in names:
        for line in called(name):
            line = re.sub(r"^\s*(?:\w*\$ +|ssh device )?", "", line)
            line = re.split(r"\s+#|\s*(?:[|<>;]|&&)", line)[0]
            if re.match(r"(?:assay(?:-verify|-fleet|d|-initrd)?|make) +[-a-zA-Z]", line):
                yield name, line


@functools.lru_cache(maxsize=None)
def help_text(*words):
    """What a command says with --help; nothing where there is no such command."""
    shown = subprocess.run(("build/host/" + words[0],) + words[1:] + ("--help",),
                           capture_output=True, text=True, check=False)
    # A command takes further words as its arguments, and shows its help all the same.
    return shown.stdout if shown.returncode == 0 and \
        all(word in shown.stdout for word in words[1:]) else None


def help_of(words):
    """The help of the longest command that the words begin with, and how many words it has."""
    for count in (3, 2, 1):
        if len(words) < count or any(re.search(r"[^a-z0-9-]|^-", w) for w in words[1:count]):
            continue
        text = help_text(*words[:count])
        if text is not None:
            return text, count
    return None, 0


def wrong_make(words, tests):
    rules = read("Makefile")
    for word in words:
        if word.startswith("T="):
            if not any(word[2:].strip("'\"") in test for test in tests):
                yield f"no test is called {word[2:]}"
        elif word.startswith("bench-") and not os.path.exists(f"tests/bench/{word[6:]}.sh"):
            yield f"there is no benchmark {word[6:]}"
        elif re.match(r"[a-z][a-z-]*$", word) and not word.startswith("bench-") and \
                not re.search(rf"^(?:[\w.-]+ )*{word}(?: [\w.-]+)*:(?!=)", rules, re.M):
            yield f"make has no target {word}"


def wrong_commands(names):
    """Commands and options that the documents name and no program has."""
    tests = subprocess.run(["tests/run.sh", "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    count = 0
    # What is below tests/ is for other programs.
    for name, line in commands(n for n in names if not n.startswith("tests/")):
        words = re.sub(r"\$\([^)]*\)", "X", line).split()
        count += 1
        if words[0] == "make":
            if "-C" not in words:
                yield from (f"{name}: {line}: {wrong}" for wrong in wrong_make(words[1:], tests))
            continue
        text, used = help_of(words)
        if text is None or (used == 1 and len(words) > 1 and words[0] in ("assay", "assay-verify", "assay-fleet") and
                            not words[1].startswith("-")):
            yield f"{name}: {line}: there is no such command"
            continue
        for option in re.findall(r"(?<!\S)--[a-z0-9][a-z0-9-]*", line):
            if option not in ("--help", "--version") and not re.search(rf"{option}(?![a-z0-9-])", text):
                yield f"{name}: {line}: there is no {option}"
    if count < 60 and len(names) > 1:
        yield f"only {count} commands were found in the documents"


KINDS = {"links": wrong_links, "messages": lambda names: wrong_messages(), "commands": wrong_commands}


def main():
    wrong = list(KINDS[sys.argv[1]](sys.argv[2:] or documents()))
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


sys.exit(main())
