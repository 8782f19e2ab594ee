#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet_page.py URL DATABASE [PICTURES]: the fleet's page in a real browser, against the real service.

TAP on standard output. The service at URL has the device d1, which became untrusted by a file whose
name is HTML, and the tokens of tests/e2e/fleet.sh; to its database, an SQLite file, so many devices are
added that a list of them all would be too much. With PICTURES, a directory, docs/fleet-*.png are made.
"""
import json
import os
import sqlite3
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

MANY = 100000
HOSTILE_NAME = "m000700"
PATIENCE = 60  # seconds, for a machine that is busy with other things
HOSTILE = '<img src=x onerror="document.title=1">\u202e</script>\u3164\u00a0'
url, database, pictures = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
number = 0
failed = False


def check(title, good, why=""):
    global number, failed
    number += 1
    if not good:
        failed = True
        print(f"# {why}"[:2000].replace("\n", "\n# "))
    print(f"{'ok' if good else 'not ok'} {number} - {title}", flush=True)


def fill_database():
    """MANY devices, one of which has a hostile label and reason, and what became of some in a day."""
    now = int(time.time())
    with sqlite3.connect(database, timeout=PATIENCE) as base:
        base.executemany("INSERT INTO device (name, identity, record, ak, label, approved, enrolled) "
                         "VALUES (?, ?, '', x'', ?, 1, ?)",
                         ((f"m{i:06}", b"%d" % i, ("shop", "kiosk", "depot")[i % 3], now - 90000)
                          for i in range(MANY)))
        base.executemany("INSERT INTO device_state (name, verdict, since, seen, judged, due, records, "
                         "entries) VALUES (?, ?, ?, ?, ?, ?, 12, 780)",
                         ((f"m{i:06}", 3 if i % 211 == 5 else 2 if i % 997 == 3 else 0 if i % 401 == 9 else 1,
                           now - 80000, now - i % 280, now - i % 280, now + 300 - i % 280) for i in range(MANY)))
        base.execute("UPDATE device SET label = ? WHERE name = ?", (HOSTILE, HOSTILE_NAME))
        verdict = json.dumps({"assay": 1, "type": "verdict", "trusted": False, "sentence": HOSTILE,
                              "checks": [{"name": HOSTILE, "group": HOSTILE, "required": True, "result": "fail",
                                          "detail": HOSTILE, "advice": HOSTILE}],
                              "file_states": {"unknown": 1, "matches": 3},
                              "files": [{"path": HOSTILE, "state": "unknown", "log": "assay", "number": 2,
                                         "digest": "00" * 32, "expected": None}],
                              "records": [{"number": n, "kind": HOSTILE if n else "START", "at": now - 900 + n * 300,
                                           "file_count": n, "event_count": 0, "ima_count": 0} for n in range(3)]})
        for span, count in ((3600, 24), (86400, 60)):
            base.executemany("INSERT OR REPLACE INTO tally (span, label, at, verdict, devices, most) VALUES (?, '*', ?, ?, ?, ?)",
                             ((span, now - now % span - i * span, verdict, devices, devices)
                              for i in range(count) if i not in (40, 41, 42)
                              for verdict, devices in enumerate((249, 99179 - 3 * i, 99 + (i * 37) % 11 + (400 if i == 9 else 0), 474 - i))))
        base.executemany("INSERT INTO device_version (name, kernel, module, firmware) VALUES (?, ?, ?, ?)",
                         ((f"m{i:06}", ("6.12.57+deb13-amd64", "6.12.48+deb13-amd64", "6.1.0-41-amd64")[(i * i) % 11 % 3],
                           "0.1.0" if i % 50 else "0.0.9", HOSTILE if i == 700 else ("2.4.1", "2.3.0")[i % 7 == 0])
                          for i in range(MANY) if i % 401 != 9))
        rows = [(HOSTILE_NAME, now - 80000, 2, HOSTILE, HOSTILE, verdict), ("m000000", now - 90000, 1, "", "edge@3", "{}")]
        for i in range(MANY):
            if i % 997 == 3 or i % 211 == 5:
                silent = i % 211 == 5
                rows.insert(0, (f"m{i:06}", now - (i * 7919) % 80000 - 200, 3 if silent else 2,
                                "nothing came within two intervals" if silent else
                                "files-match: /usr/sbin/sshd is not what the manifest says", "edge@3", verdict))
        rows.sort(key=lambda row: row[1])
        newest = rows[-1][0]
        base.executemany("INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) "
                         "VALUES (?, ?, ?, ?, ?, ?)", rows)
        base.execute("UPDATE device_state SET verdict = 2 WHERE name = ?", (HOSTILE_NAME,))
        base.execute("UPDATE device_state SET change_id = coalesce((SELECT max(id) FROM verdict_change c "
                     "WHERE c.name = device_state.name), 0) WHERE verdict >= 2")
        base.execute("UPDATE device_state SET change_id = (SELECT id FROM verdict_change WHERE name = 'm000000') "
                     "WHERE verdict = 1 AND name <> 'd1'")
        base.execute("INSERT INTO alarm (id, name, at, verdict, reason, change_id) SELECT c.id, s.name, c.at, s.verdict, "
                     "c.reason, c.id FROM device_state s JOIN verdict_change c ON c.id = s.change_id WHERE s.verdict >= 2 "
                     "AND s.name <> 'd1'")
    return newest


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1100,800", "--disable-extensions", "--no-first-run"):
        options.add_argument(argument)
    options.set_capability("acceptInsecureCerts", True)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


browser = start()


def until(condition):
    """What the condition comes to once it is true. If it never is, that is a failure: no check waits in vain."""
    try:
        return WebDriverWait(browser, PATIENCE, poll_frequency=0.05,
                             ignored_exceptions=(Exception,)).until(lambda _: condition())
    except Exception:  # pylint: disable=broad-except
        check(f"what is waited for in line {sys._getframe(1).f_lineno} comes", False, f"not in {PATIENCE} s")
        return None


def js(script, *arguments):
    return browser.execute_script(script, *arguments)


def find(selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


# Pages are drawn anew while nobody uses them: what is asked of an element is asked in one go with finding it.
def text(selector="main"):
    return js("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText).join('\\n')", selector)


def attribute(selector, name):
    return js("return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? ''", selector, name)


def count(selector):
    return js("return document.querySelectorAll(arguments[0]).length", selector)


def click(selector, words=None):
    """The first one that is called so; once it is there."""
    return until(lambda: js("const found = [...document.querySelectorAll(arguments[0])].find((e) => arguments[1] === null || e.textContent.trim() === arguments[1]);"
                            "found?.focus(); found?.click(); return found !== undefined", selector, words))


def has(words, selector="main"):
    return bool(until(lambda: words in text(selector)))


def settled():
    return until(lambda: js("return document.getElementById('main').getAttribute('aria-busy') === 'false'"))


def go(address):
    js("location.hash = arguments[0]", address)
    settled()


def press(*keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def theme(name):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": name}]})


def picture(name):
    if pictures:
        browser.save_screenshot(os.path.join(pictures, name))


# Of each element that shows text: how its colour and that behind it differ (WCAG 2.2, 1.4.3).
CONTRAST = """
const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== ''))
    .map((e) => { const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e)); return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40)]; })
    .filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + ' ' + what);
"""


def nameless():
    """What can be used and has no name, in the tree that screen readers get."""
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"button", "link", "textbox", "searchbox", "combobox", "grid", "dialog", "navigation", "DisclosureTriangle"}
    return [node["role"]["value"] for node in nodes if not node.get("ignored") and
            node.get("role", {}).get("value") in roles and not node.get("name", {}).get("value")]


def check_view(title):
    check(f"{title}: one heading of the page", len(find("h1")) == 1, text())
    check(f"{title}: whatever can be used has a name", not nameless(), nameless())
    for name in ("light", "dark"):
        theme(name)
        low = js(CONTRAST)
        check(f"{title}, {name}: all text can be read", not low, low)
    theme("light")


def check_sign_in():
    browser.get(url + "/")
    check("it asks who is there", until(lambda: find("dialog[open]")), text("body"))
    check("and shows nothing before", "devices" not in text("main"), text("main"))
    press("wrong", Keys.ENTER)
    check("a token that is not known: it asks again",
          until(lambda: find("dialog[open]") and js("return document.getElementById('token-text').value") == ""))
    press("viewer-token", Keys.ENTER)
    check("one that is", has("100,001 devices"), text("body"))
    check("which no store but this tab's has", js("return localStorage.length === 0 && document.cookie === ''"))


def check_fleet():
    cards = text(".cards")
    counts = js("""return fetch('/v1/fleet', {headers: {Authorization: 'Bearer viewer-token'}}).then((r) => r.json())""")["devices"]
    check("the fleet's states are counted", all(f"{counts[state]:,}" in cards for state in counts), cards)
    check("and drawn over time, each state by its own scale", count("#trend svg[role=img] path.stroke") == 4)
    check("which a screen reader is told in words", "not trusted: " in attribute("#trend figure.not-trusted svg", "aria-label") and
          "between " in attribute("#trend figure.not-trusted svg", "aria-label"))
    click("#trend summary")
    check("and is to be had as a table", until(lambda: count("#trend tbody tr") >= 24) and text("#trend thead").count("trusted") == 2, text("#trend thead"))
    click("#trend-by-day")
    check("by day", has("Last 90 days", "#trend") and until(lambda: js("return document.querySelector('#trend figure.silent path.stroke').getAttribute('d').split('M').length") == 3),
          js("return document.querySelector('#trend figure.silent path.stroke').getAttribute('d')"))
    click("#trend summary")
    check("with the most that were not trusted in each", has("most not trusted", "#trend thead") and "502" in text("#trend tbody"), text("#trend tbody")[:500])
    check("versions are counted", "6.12.57+deb13-amd64" in text("[data-kind=kernel]") and "0.0.9" in text("[data-kind=module]") and
          "policy.json@3" in text("[data-kind=policy]") and "edge@3" in text("[data-kind=policy] li:first-child"), text("#versions"))
    check("a version that is HTML is text", "<img src=x" in text("[data-kind=firmware]") and "\\u{202e}" in text("[data-kind=firmware]"), text("#versions"))
    check("changes are drawn by hour", len(find("svg.trend rect")) > 20, len(find("svg.trend rect")))
    check("and what came last is listed", len(find("ol.line li")) == 8)
    check_view("the fleet")
    click("#trend summary")
    if pictures:
        browser.set_window_size(1100, 1090)
    js("document.activeElement.blur(); scrollTo(0, 0)")
    picture("fleet.png")
    theme("dark")
    picture("fleet-dark.png")
    theme("light")
    if pictures:
        browser.set_window_size(1100, 800)


def grid_rows():
    return find(".grid-body .grid-row")


def active():
    found = find(".grid-row.active")
    return found[0].text if found else ""


def check_devices():
    go("#/devices")
    check("all devices", has("100,001 devices") and until(grid_rows))
    check("of which rows in view are made only", len(grid_rows()) < 60, len(grid_rows()))
    check("and are where they can be seen", until(lambda: js("return !!document.elementFromPoint(300, document.querySelector('.grid-body').getBoundingClientRect().top + 60)?.closest('.grid-row')")))
    check("though it is told how many there are", find(".grid")[0].get_attribute("aria-rowcount") == "100002")
    began = time.monotonic()
    js("const b = document.querySelector('.grid-body'); b.scrollTop = b.scrollHeight / 2")
    check("halfway down, by the bar", until(lambda: any(row.text.startswith("m0500") for row in grid_rows())),
          [row.text for row in grid_rows()])
    print(f"# {time.monotonic() - began:.2f} s until its rows were there")
    find(".grid")[0].send_keys(Keys.END)
    check("the end, by a key", until(lambda: active().startswith(f"m{MANY - 1:06}")), active())
    press(Keys.HOME)
    check("the beginning, by a key", until(lambda: active().startswith("d1")), active())
    press(Keys.ARROW_DOWN, Keys.PAGE_DOWN, Keys.PAGE_UP, Keys.ARROW_UP)
    check("and up and down", until(lambda: active().startswith("d1")), active())
    check("what screen readers follow is that row",
          js("return document.getElementById(document.querySelector('.grid').getAttribute('aria-activedescendant')).textContent").startswith("d1"))
    check_view("devices")
    js("scrollTo(0, 0)")
    picture("fleet-devices.png")
    find("#filter-q")[0].send_keys("m0123")
    check("a search", has("100 devices", "#count"), text("#count"))
    check("which the address keeps", until(lambda: "q=m0123" in browser.current_url), browser.current_url)
    go("#/")
    click("[data-kind=module] a", "0.0.9")
    check("those of a version", has("1,995 devices", "#count"), text("#count"))
    click("button.chosen")
    check("which is chosen no longer", has("100,001 devices", "#count") and until(lambda: "module" not in browser.current_url), browser.current_url)
    go("#/devices?state=not-trusted")
    check("those that are not trusted", until(lambda: grid_rows() and "d1" in grid_rows()[0].text))
    check("with why", has("ima-files-known", ".grid-body"), text(".grid-body"))
    check("a label that is HTML is text", has("<img src=x", ".grid-body"), text(".grid-body"))
    check("and turns nothing round", "\u202e" not in js("return document.body.textContent") and has("\\u{202e}", ".grid-body"))
    check("nor hides that it goes on", has("\\u{3164}\\u{a0}", ".grid-body"), text(".grid-body"))


def check_device():
    find(".grid")[0].send_keys(Keys.ENTER)
    check("a device, by keys alone", until(lambda: text("h1") == "d1") and settled(), text())
    check("is not trusted, with the reason", has("not trusted") and has("ima-files-known"), text())
    check("what changed, in words", has("ima-files-known now fails (before, it passed)", "#changed"), text("#changed"))
    check("the check to blame is open and first", until(lambda: "ima-files-known" in find("#checks details[open] tbody tr")[0].text), text("#checks"))
    check("a file's name that is HTML is text", "<img" in text("#checks"), text("#checks"))
    check("the file is among those that nobody knows, with its digest",
          until(lambda: "1 are not known" in text("#files") and len(find("#files details[open] code")[0].text) == 64), text("#files"))
    check("its verdicts over time", len(find("#line ol.line > li")) == 2, text("#line"))
    check_view("a device")
    theme("dark")
    js("document.activeElement.blur(); scrollTo(0, 0)")
    picture("fleet-device.png")
    theme("light")
    find("#line button")[1].click()
    check("the evidence as it came", until(lambda: '"ak_public"' in text("pre")), text("#line"))
    check("can be saved", js("return document.querySelector('a[download]').href").startswith("blob:"))
    go("#/device/" + HOSTILE_NAME)
    check("hostile names of checks are text", has("<img src=x", "#checks"), text())
    check("and of files", has("<img src=x", "#files"), text("#files"))
    check("the log's records are drawn by time", len(find("svg.records rect.trusted")) == 2)
    find("#log summary")[0].click()
    check("and listed", has("<img src=x", "#log td") and len(find("#log tbody tr")) == 3, text("#log"))
    check_view("its logs")
    go("#/device/" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    check("a device that is not there is told so", has("<img src=x", "#trouble"), text("body"))


def check_policies():
    go("#/policies")
    check("the policy that is assigned", has("any other") and has("policy.json"), text())
    find("details[data-policy] summary")[0].click()
    find("details[data-policy] button")[0].click()
    check("how two versions differ", until(lambda: find(".difference .added") and find(".difference .removed")), text())
    check("line by line", '"nonce_bytes": 24' in text(".difference .added") and '"nonce_bytes": 16' in text(".difference .removed"), text(".difference"))
    check_view("policies")
    picture("fleet-policies.png")


def ask_what_if():
    go("#/policies")
    until(lambda: find("details[data-policy] summary"))
    find("details[data-policy] summary")[0].click()
    form = find("details[data-policy] form")[1]
    form.find_element(By.TAG_NAME, "select").send_keys("1")
    form.find_element(By.TAG_NAME, "input").send_keys("real")
    form.find_element(By.CSS_SELECTOR, "button[type=submit]").click()


def check_what_if():
    go("#/")
    ask_what_if()
    check("what if another version was used: a viewer may not ask", has("role operator", "#trouble"), text("body"))
    find("#leave")[0].click()
    check("a token is forgotten at once", until(lambda: find("dialog[open]")))
    press("operator-token", Keys.ENTER)
    until(lambda: not find("dialog[open]"))
    ask_what_if()
    check("an operator may: who would become another, and why not", has("1 would become trusted", ".what-if") and
          until(lambda: "d1" in text(".what-if tbody")), text(".what-if"))
    check("as a difference", "not trusted" in text(".what-if .removed") and "trusted" in text(".what-if .added"), text(".what-if"))
    check("and nothing was changed by it", js("""return fetch('/v1/devices/d1', {headers: {Authorization: 'Bearer viewer-token'}}).then((r) => r.json())""")["device"]["verdict"] == "not-trusted")
    check_view("what if")
    js("scrollTo(0, 150)")
    picture("fleet-policies.png")


def alarm_ids():
    return js("return [...document.querySelectorAll('#alarms > li')].map((item) => item.dataset.alarm)")


def check_alarms(newest):
    go("#/alarms")
    check("open alarms, the newest first", until(lambda: len(alarm_ids()) == 50) and newest in text("#alarms li:first-child") and
          alarm_ids() == sorted(alarm_ids(), key=int, reverse=True), text("#alarms")[:500])
    check("with why, and since when", "nothing came within two intervals" in text("#alarms") and "since" in text("#alarms li:first-child"))
    theme("dark")
    js("document.activeElement.blur(); scrollTo(0, 0)")
    picture("fleet-alarms.png")
    theme("light")
    click("main button", "Older ones")
    check("and older ones", until(lambda: len(alarm_ids()) == 100))
    check_view("alarms")
    find("#alarm-q")[0].send_keys("d1", Keys.ENTER)
    check("those of a name", until(lambda: len(alarm_ids()) == 1) and "d1" in text("#alarms"), text("#alarms"))
    alarm = alarm_ids()[0]
    check("the address keeps that", "q=d1" in browser.current_url, browser.current_url)
    check("what changed says the same number", js("""return fetch('/v1/devices/d1/changes?limit=1', {headers: {Authorization: 'Bearer viewer-token'}}).then((r) => r.json())""")["changes"][0]["alarm"] == int(alarm))
    find("#alarms input")[0].send_keys(HOSTILE.replace("\u202e", ""), Keys.ENTER)
    check("an operator has seen it, with a note that is text",
          until(lambda: "operator the-operator" in text("#alarms .note")) and "<img src=x" in text("#alarms .note q"), text("#alarms"))
    find("#alarm-shown")[0].send_keys("open, not")
    check("and it is among the others no more", has("There is none.") and not alarm_ids(), text())
    go("#/alarms?shown=all&state=silent")
    check("by state", until(lambda: len(alarm_ids()) == 50) and "not trusted" not in text("#alarms"), text("#alarms")[:300])
    go("#/alarms?shown=closed")
    check("none is closed yet", has("There is none."), text())
    go("#/alarms?q=" + HOSTILE_NAME)
    check("hostile reasons are text", until(lambda: "<img src=x" in text("#alarms")) and "\\u{202e}" in text("#alarms"), text("#alarms"))


def sign_in(token):
    find("#leave")[0].click()
    until(lambda: find("dialog[open]"))
    press(token, Keys.ENTER)
    until(lambda: not find("dialog[open]"))
    settled()


def button(words, within="main"):
    return js("return [...document.querySelectorAll(arguments[0] + ' button')].some((one) => one.textContent === arguments[1])", within, words)


def decide(words, within="main"):
    click(within + " button", words)
    check(f"{words}: it is asked whether that is meant", until(lambda: button("Yes", within)), text(within))
    click(within + " button", "Yes")


def check_rollouts():
    go("#/rollouts")
    check("no roll-out is under way", has("None is under way.") and has("Nothing waits for a second person."), text())
    check("an operator may look at what one would change, and no more", has("is for approvers") and not button("Propose it"))
    sign_in("approver-token")
    find("#rollout-version")[0].send_keys("1")
    find("#rollout-label")[0].send_keys("real")
    find("#rollout-percent")[0].send_keys(Keys.CONTROL, "a", Keys.NULL, "99")
    click("form.begin button", "What would it change?")
    check("an approver sees what another version says", until(lambda: '"allow"' in text(".preview .difference .added")), text(".preview"))
    check("and who would be held for something else, before it is so", has("1 would become trusted", ".preview .what-if"), text(".preview"))
    decide("Propose it", "form.begin")
    check("it is a proposal", has("another approver must approve it", "#rollout-done"), text("form.begin"))
    check("and another one can be made", until(lambda: button("Propose it", "form.begin")), text("form.begin"))
    check("which who has proposed it cannot approve", until(lambda: button("Withdraw it", "[data-proposal]")) and
          not button("Approve it", "[data-proposal]"), text("#rollouts"))
    check_view("roll-outs")
    sign_in("second-token")
    click("[data-proposal] button", "Approve it")
    click("[data-proposal] button", "No")
    check("who says no has decided nothing", until(lambda: button("Approve it", "[data-proposal]")) and count("[data-proposal]") == 1)
    click("[data-proposal] button", "What would it change?")
    check("another approver sees the same", has("1 would become trusted", "[data-proposal] .what-if"), text("#rollouts"))
    theme("dark")
    js("document.activeElement.blur(); scrollTo(0, 0)")
    picture("fleet-rollouts.png")
    theme("light")
    decide("Approve it", "[data-proposal]")
    check("and has it rolled out, as far as it was proposed", until(lambda: count("[data-rollout=real]") == 1) and has("under way for 99 %", "[data-rollout=real]") and
          count("[data-proposal]") == 0, text("#rollouts"))
    check("with how far it came", count("[data-rollout=real] progress") == 1 and "About 1 devices, 0 judged" in text("[data-rollout=real]"), text("#rollouts"))
    check_view("a roll-out")
    find("#rollout-version")[0].send_keys("1")
    click("form.begin button", "What would it change?")
    check("what is for all others would change nothing for a label that has its own", has("0 would become trusted", "form.begin .what-if"), text("form.begin"))
    decide("End it", "[data-rollout=real]")
    check("one person is enough to end it", has("None is under way."), text("#rollouts"))
    acts = js("""return fetch('/v1/audit?limit=1000', {headers: {Authorization: 'Bearer viewer-token'}}).then((r) => r.json())""")["audit"]
    check("all of which the audit has", [act["act"] for act in acts[-3:]] == ["propose", "roll out", "end"] and
          acts[-2]["who"] == "approver the-approver, approver the-second", acts[-3:])


def check_keys():
    """From the page's beginning, by the tabulator: the link that skips, then the pages."""
    browser.get("about:blank")
    browser.get(url + "/")
    check("again: who is there is asked in a new tab only", has("100,001 devices") and not find("dialog[open]"))
    js("document.activeElement.blur()")
    press(Keys.TAB)
    check("the first stop skips to the content", browser.switch_to.active_element.get_attribute("class") == "skip")
    press(Keys.ENTER)
    check("which it does", until(lambda: browser.switch_to.active_element.get_attribute("id") == "main"))
    js("document.activeElement.blur(); document.querySelector('nav a').focus()")
    press(Keys.TAB, Keys.ENTER)
    check("a page by keys", until(lambda: text("h1") == "Devices"))
    check("is told to be the present one", find("nav a[aria-current=page]")[0].text == "Devices")


def check_quiet():
    expected = ("401", "403", "404")  # what was refused on purpose
    said = [entry for entry in browser.get_log("browser") if not any(f"status of {code}" in entry["message"] for code in expected)]
    check("the browser has nothing to say of all that", not said, said)
    check("and nothing hostile has run", js("return document.title") != "1" and not find("main img, main script"))


def main():
    newest = fill_database()
    print(f"# {browser.capabilities['browserName']} {browser.capabilities['browserVersion']}")
    for step in (check_sign_in, check_fleet, check_devices, check_device, check_policies, check_what_if, lambda: check_alarms(newest), check_rollouts, check_keys, check_quiet):
        try:
            step()
        except Exception as error:  # pylint: disable=broad-except
            check(f"{step.__name__} goes on to its end", False, f"{type(error).__name__}: {error}")
    print(f"1..{number}")
    return 1 if failed else 0


try:
    sys.exit(main())
finally:
    browser.quit()
