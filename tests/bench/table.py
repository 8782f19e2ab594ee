# SPDX-License-Identifier: MIT
"""The table of all benchmarks, and what documents have of it.

    tests/bench/table.py show DIRECTORY  prints it from the results DIRECTORY/NAME.json, and writes
                                      DIRECTORY/table.md
    tests/bench/table.py keep DIRECTORY  takes these results into docs/measured.json
    tests/bench/table.py write           puts the table, and single figures, of docs/measured.json into the
                                      documents
    tests/bench/table.py check           whether documents have what is in docs/measured.json, and the rows
                                      of the table are the benchmarks that there are

tests/bench/rows.tsv has what each benchmark compares, and the ratio that is asked of it, if one is. In
documents the table stands between <!-- bench --> and <!-- /bench -->, and a figure between
<!--=NAME FILTER--> and <!--/-->, where FILTER is jq's, of the result.
"""
import glob
import json
import os
import re
import subprocess
import sys

MEASURED = "docs/measured.json"
DOCUMENTS = ["README.md", "docs/performance.md"]
FIGURE = re.compile(r"(<!--=([a-z0-9-]+) ([^>]+)-->)(.*?)(<!--/-->)", re.S)
TABLE = re.compile(r"(<!-- bench -->\n)(.*?)(<!-- /bench -->)", re.S)


def fail(text):
    sys.exit("tests/bench/table.py: " + text)


def rows():
    """Name, what is compared, and the ratio that is asked for or None."""
    with open("tests/bench/rows.tsv", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            name, compares, target = line.rstrip("\n").split("\t")
            yield name, compares, float(target) if target else None


def measured():
    if not os.path.exists(MEASURED):
        return {}
    with open(MEASURED, encoding="utf-8") as file:
        return {result["name"]: result for result in json.load(file)}


def in_directory(directory):
    results = {}
    for path in glob.glob(os.path.join(directory, "*.json")):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        results[result["name"]] = result
    return results


def number(value):
    """Three digits of it, and all in front of the point."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cells(results):
    for name, compares, target in rows():
        result = results.get(name)
        if result is None:
            yield name, compares, "not measured", "", "", "", number(target) if target else ""
            continue
        yield (name, compares, number(result["ours"]), number(result["peer"]), result["unit"],
               number(result["ratio"]), number(target) if target else "")


def markdown(results):
    lines = ["| command | compares | ours | the other | unit | ratio | asked |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, *rest in cells(results):
        lines.append(f"| `make bench-{name}` | " + " | ".join(rest) + " |")
    return "\n".join(lines) + "\n"


def show(directory):
    results = in_directory(directory)
    print(f"{'benchmark':<13} {'ours':>12} {'the other':>12} {'ratio':>8} {'asked':>6}  unit")
    for name, _, ours, peer, unit, ratio, target in cells(results):
        took = results.get(name, {}).get("took_seconds")
        print(f"{name:<13} {ours:>12} {peer:>12} {ratio:>8} {target:>6}  {unit}"
              + (f" ({took} s)" if took is not None else ""))
    path = os.path.join(directory, "table.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(markdown(results))
    print(f"as Markdown: {path}")


def keep(directory):
    results = measured()
    results.update(in_directory(directory))
    for result in results.values():
        result.pop("took_seconds", None)
    lines = [json.dumps(results[name], separators=(",", ":")) for name in sorted(results)]
    with open(MEASURED, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


def filled(path, results):
    """The document's text as it is, and as it has to be."""
    with open(path, encoding="utf-8") as file:
        text = file.read()

    def figure(match):
        result = results.get(match[2])
        if result is None:
            fail(f"{path} has a figure of {match[2]}, of which {MEASURED} has no result")
        value = subprocess.run(["jq", "-r", match[3]], input=json.dumps(result), text=True,
                               stdout=subprocess.PIPE, check=True).stdout.strip()
        if value in ("", "null"):
            fail(f"{path}: {match[1]} is nothing")
        return match[1] + value + match[5]

    new = FIGURE.sub(figure, text)
    new = TABLE.sub(lambda match: match[1] + markdown(results) + match[3], new)
    return text, new


def write():
    for path in DOCUMENTS:
        text, new = filled(path, measured())
        if new != text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)


def check():
    scripts = {os.path.basename(path)[:-3] for path in glob.glob("tests/bench/*.sh")
               if not path.endswith("-guest.sh")}
    named = {name for name, _, _ in rows()}
    if scripts != named:
        fail("tests/bench/rows.tsv and the scripts there differ: " + " ".join(sorted(scripts ^ named)))
    unknown = set(measured()) - named
    if unknown:
        fail(f"{MEASURED} has results of no benchmark: " + " ".join(sorted(unknown)))
    tables = 0
    for path in DOCUMENTS:
        text, new = filled(path, measured())
        tables += len(TABLE.findall(text))
        if new != text:
            fail(f"{path} has other figures than {MEASURED}: run tests/bench/table.py write")
    if tables != 1:
        fail(f"{tables} documents have the table")


def main(arguments):
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    if len(arguments) == 2 and arguments[0] in ("show", "keep"):
        (show if arguments[0] == "show" else keep)(arguments[1])
    elif arguments in (["write"], ["check"]):
        (write if arguments == ["write"] else check)()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
