# SPDX-License-Identifier: MIT
# report.json -> report.html: one page that needs nothing else. Everything that
# came from a run passes through esc.

def esc: tostring | @html;
def fixed: . * 100 | round | tostring | if length < 3 then "0" * (3 - length) + . else . end
  | .[:-2] + "." + .[-2:];
def mib: . / 1048576 | if . == floor then tostring else fixed end;
def badge($ok; $yes; $no): if $ok then "<b class=ok>\($yes | esc)</b>" else "<b class=bad>\($no | esc)</b>" end;

# Runs of pages [{state, count}] -> [{state, first, count}]
def placed: reduce .[] as $run ({at: 0, runs: []};
    .runs += [$run + {first: .at}] | .at += $run.count) | .runs;

# The page states in the order in which they win a cell that shows several pages.
def states: ["header", "secret", "open", "sealed", "part", "writable", "claimed", "empty", "stock", "lent-used", "lent-free", "lent", "offline", "held", "unknown"];
def words: {
  "header": "log header, read-only", "secret": "what the keys of the log's records are made from", "open": "open for an append", "sealed": "full of records, sealed",
  "part": "holds records, read-only", "empty": "claimed and empty, read-only",
  "writable": "of a pool, not protected yet", "claimed": "of another window", "stock": "claimed ahead of need",
  "lent-used": "lent, in use by the kernel", "lent-free": "lent, free for the kernel",
  "lent": "lent to the kernel", "offline": "unplugged", "held": "held idle", "unknown": "not told"};
def rank($state): (states | index($state)) // 99;

# One square a group of pages.
def map_cells($cells; $columns; $size):
  . as $runs | ($runs | map(.count) | add // 0) as $total
  | ([($total + $cells - 1) / $cells | floor, 1] | max) as $each
  | [range(0; [$cells, $total] | min) | . * $each | select(. < $total)] as $starts
  | (($starts | length) as $n | (($n + $columns - 1) / $columns | floor)) as $rows
  | "<svg class=map viewBox=\"0 0 \($columns * $size) \($rows * $size)\" style=\"max-width:\($columns * $size)px\" role=img aria-label=\"pages by state\">"
    + ([$starts | to_entries[] | .key as $i | .value as $s
        | ([$runs[] | select(.first < $s + $each and .first + .count > $s) | .state]
           | min_by(rank(.))) as $state
        | "<rect class=\"p-\($state | esc)\" x=\($i % $columns * $size) y=\($i / $columns | floor * $size) width=\($size - 1) height=\($size - 1)><title>page \($s)\(if $each > 1 then " to \([$s + $each, $total] | min - 1)" else "" end): \(words[$state] // $state | esc)</title></rect>"]
       | join(""))
    + "</svg>";

# A fold for each group of checks, open where a required one did not pass.
def check_row: "<tr><td><code>\(.name | esc)</code><td>\(badge(.result == "pass"; "pass"; .result))\(if .required then "" else " <span class=dim>(not required)</span>" end)<td>\(.detail // "" | esc)";
def checks_by_group: . as $checks
  | reduce .[].group as $group ([]; if index([$group]) then . else . + [$group] end)
  | map(. as $group | $checks | map(select(.group == $group))
    | "<details\(if any(.required and .result != "pass") then " open" else "" end)><summary><b>\($group | esc)</b> \(map(select(.result == "pass")) | length) of \(length) passed</summary><table><tr><th style=\"width:27%\">check<th>result<th>detail"
      + (map(check_row) | join("\n")) + "</table></details>")
  | join("\n");

def flow:
  def box($x; $y; $w; $title; $what; $class):
    "<g class=\"\($class)\"><rect x=\($x) y=\($y) width=\($w) height=64 rx=8 /><text x=\($x + $w / 2) y=\($y + 27) class=t>\($title)</text><text x=\($x + $w / 2) y=\($y + 47)>\($what)</text></g>";
  def arrow($path; $name; $x; $y): "<path d=\"\($path)\" marker-end=\"url(#a)\"/><text x=\($x) y=\($y) class=l>\($name)</text>";
  "<svg class=flow viewBox=\"0 0 980 344\" role=img aria-label=\"how the data flows\"><defs><marker id=a viewBox=\"0 0 8 8\" refX=7 refY=4 markerWidth=7 markerHeight=7 orient=auto><path class=head d=\"M0 0L8 4L0 8z\"/></marker></defs>"
  + "<text x=20 y=22 class=z>build host: signer</text><text x=330 y=22 class=z>device: attester (64K pages)</text><text x=790 y=22 class=z>host: verifier</text>"
  + box(20; 40; 200; "signer's TPM"; "P-256 key, certificate"; "tpm")
  + box(20; 150; 200; "assay sign"; "manifest, \(.files) signatures"; "user")
  + box(330; 40; 190; "ext4 + fs-verity"; ".fs-verity keyring"; "kernel")
  + box(330; 150; 190; "assay.ko"; "one record a batch"; "kernel")
  + box(330; 250; 190; "log window"; "read-only, 1 MiB"; "mem")
  + box(580; 150; 150; "device's TPM"; "PCR 14 and 10"; "tpm")
  + box(580; 250; 150; "assay quote"; "evidence"; "user")
  + box(790; 150; 170; "assay verify"; "\(.checks | length) checks"; "user")
  + box(790; 40; 170; if .ok then .sentence | split(" (")[0] else "NOT AS EXPECTED" end; "\(.attacks | map(select(.caught)) | length) of \(.attacks | length) attacks caught"; if .ok then "good" else "wrong" end)
  + arrow("M120 104V150"; "signs"; 150; 131)
  + arrow("M220 170C270 170 270 72 330 72"; "files + signatures"; 275; 62)
  + arrow("M425 104V150"; "digests"; 462; 131)
  + arrow("M425 214V250"; "append, seal"; 475; 237)
  + arrow("M520 182H580"; "extend"; 549; 173)
  + arrow("M655 214V250"; "quote"; 680; 237)
  + arrow("M520 282H580"; "log"; 549; 273)
  + arrow("M730 282H840V214"; "evidence"; 785; 273)
  + arrow("M120 214V332H910V214"; "manifest, certificate"; 220; 325)
  + arrow("M875 150V104"; "verdict"; 905; 131)
  + "</svg>";

. as $report
| (.memory.regions[0] // {}) as $region
# The map has cells of several pages; runs are of pages.
| ($region.map // {} | (.pages_per_cell // 1) as $each | .cells // [] | map(.count *= $each) | placed) as $runs
| ([.memory.windows[]? | select(.owner == "log")][0].runs // [] | placed) as $window
| (.steps | map(.seconds) | max // 1) as $longest
| "<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">
<title>assay: \(if .ok then "every expectation held" else "an expectation failed" end)</title>
<style>
:root{--bg:#fbfaf7;--fg:#1d2329;--dim:#66707a;--line:#d9d6cd;--card:#fff;--ok:#18794e;--bad:#c62828;
--tpm:#efe3ff;--user:#e2efff;--kernel:#fff0d9;--mem:#ddf3e4;
--header:#6d3fc0;--sealed:#18794e;--part:#46a875;--empty:#a9dbbd;--open:#e0a100;--used:#5b8ff0;--free:#dce6f7}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e8e6e1;--dim:#98a1aa;--line:#343a40;--card:#1c2024;--ok:#5fd39a;--bad:#ff7b72;
--tpm:#37294f;--user:#1f3350;--kernel:#48371b;--mem:#1d402b;--header:#a787e8;--sealed:#2fa36b;--part:#256e4b;--empty:#24503a;--used:#4a78cf;--free:#2a3342}}
body{background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1020px;padding:1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0}
.sum{border-left:6px solid var(--\(if .ok then "ok" else "bad" end));background:var(--card);padding:1rem 1.3rem;border-radius:6px}
.dim{color:var(--dim)}.ok{color:var(--ok)}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%;background:var(--card);font-size:.92rem}
td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}th,td.r{overflow-wrap:normal;white-space:nowrap}
th{color:var(--dim);font-weight:500}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.bar{background:var(--used);height:.6rem;border-radius:3px;min-width:2px;margin-top:.45rem}
.flow{width:100%;background:var(--card);border-radius:8px}.flow rect{stroke:var(--line)}.flow text{fill:var(--fg);font-size:12.5px;text-anchor:middle}
.flow .t{font-weight:600;font-size:14px}.flow .l,.flow .z{fill:var(--dim)}.flow .z{text-anchor:start;font-size:13px}
.flow path{fill:none;stroke:var(--dim);stroke-width:1.5}.flow .head{fill:var(--dim);stroke:none}
.flow .tpm rect{fill:var(--tpm)}.flow .user rect{fill:var(--user)}.flow .kernel rect{fill:var(--kernel)}.flow .mem rect{fill:var(--mem)}
.flow .good rect{fill:var(--mem);stroke:var(--ok)}.flow .wrong rect{stroke:var(--bad)}
.map{width:100%;display:block}.p-header{fill:var(--header)}.p-sealed{fill:var(--sealed)}.p-part{fill:var(--part)}.p-empty{fill:var(--empty)}
.p-open,.p-writable,.p-claimed{fill:var(--open)}.p-stock{fill:var(--empty)}.p-lent-used{fill:var(--used)}.p-lent-free{fill:var(--free)}.p-lent,.p-held,.p-offline,.p-unknown{fill:var(--line)}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.88rem;margin:.6rem 0;padding:0;list-style:none}.key svg{width:.8rem;height:.8rem;margin-right:.35rem}
code{font-size:.88em}
</style>
<div class=sum><h1>\(badge(.ok; "Every expectation held"; "An expectation failed"))</h1>
<p>\(.files | esc) files, \(.bytes | mib) MiB, signed by a TPM, measured with one record and one PCR extend, quoted and verified in \(.seconds | fixed) s.
\(.attacks | map(select(.caught)) | length) of \(.attacks | length) attacks were caught.</p>
<p class=dim>\(.started | esc) · kernel \(.kernel | esc) · assay \(.version | esc)</p></div>

<h2>The flow</h2>\(flow)

<h2>Steps</h2><table><tr><th style=\"width:27%\">step<th>what was seen<th>seconds<th style=\"width:18%\">"
+ (.steps | map("<tr><td>\(badge(.ok; "✓"; "✗")) \(.title | esc)<td>\(.detail | esc)<td class=n>\(.seconds | fixed)<td><div class=bar style=\"width:\(100 * .seconds / ([$longest, 0.001] | max) | floor)%\"></div>") | join("\n"))
+ "</table>

<h2>Attacks</h2><table><tr><th style=\"width:27%\">attack<th>caught by<th>"
+ (.attacks | map("<tr><td>\(.title | esc)<td>\(.by | esc)<td class=r>\(badge(.caught; "caught"; "NOT CAUGHT"))") | join("\n"))
+ "</table>

<h2>The region's memory, page by page</h2>
<p>\($region.bytes_reserved // 0 | mib) MiB reserved, \(.memory.log.window.size // 0 | mib) MiB of it claimed at page granularity (pages of \((.memory.page_size // 0) / 1024 | floor) KiB); the rest is lent to the kernel.</p>
<ul class=key>"
+ ([states[] as $s | ($region.pages[$s] // empty) as $n
    | "<li><svg viewBox=\"0 0 8 8\"><rect class=p-\($s) width=8 height=8 /></svg>\(words[$s] | esc): \($n)</li>"] | join(""))
+ "</ul>\($runs | map_cells(1024; 64; 15))
<p>The log's window alone, a page a square:</p>\($window | map_cells(1024; 64; 15))

<h2>What the verifier checked</h2><p><b>\(.sentence | esc)</b></p>"
+ (.checks | checks_by_group)
+ "
<p class=dim>The same facts, for programs: <code>report.json</code>.</p></html>"
