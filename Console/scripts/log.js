// The log viewer: draws the rows in view, and nothing else. Lines are numbered from 0 inside, from 1 on the screen.

import { all, el, formatCount, on, one } from "./dom.js";
import { createLines } from "./log-lines.js";
import { createScroller, ROW } from "./log-scroll.js";
import { createSearch } from "./log-search.js";
import { t } from "./strings.js";

const viewers = new WeakMap();
const viewerOf = (node) => viewers.get(node.closest("[data-log]"));
const OVERSCAN = 8;
const LONGEST = 10_000;
const MOST_SELECTED = 3000;

export function setUpLogs() {
    for (const section of all("[data-log]")) if (!viewers.has(section)) viewers.set(section, createViewer(section));
}

function createViewer(section) {
    const { log: url, node = "0" } = section.dataset;
    const view = one(".log-view", section);
    const follows = one("[data-log-follow]", section)?.checked ?? true;
    const viewer = { section, view, follows, shown: new Map(), version: 0 };
    const spacer = buildRows(viewer);
    one(".log-hits", section)?.setAttribute("role", "status");
    viewer.scroller = createScroller(view, spacer, (previous) => moved(viewer, previous));
    viewer.lines = createLines(url, node, () => linesChanged(viewer));
    viewer.search = createSearch(url, node, (line) => searchChanged(viewer, line));
    showHits(viewer);
    viewer.lines.start();
    new ResizeObserver(() => viewer.follows ? viewer.scroller.scrollTo(Infinity) : draw(viewer)).observe(view);
    return viewer;
}

// The rows hang on a sticky line of no height: while a frame is late, old lines stay in view instead of a blank.
function buildRows(viewer) {
    const { view } = viewer;
    viewer.rows = el("div", { className: "log-rows" });
    const anchor = el("div", { className: "log-anchor" }, viewer.rows);
    const spacer = el("div", { className: "log-spacer" }, anchor);
    Object.assign(anchor.style, { position: "sticky", top: "0", height: "0" });
    Object.assign(viewer.rows.style, { width: "max-content", minWidth: "100%", willChange: "transform" });
    // A stream of output read aloud line by line helps nobody; the lines can be read with the cursor.
    view.setAttribute("aria-live", "off");
    viewer.note = el("p", { className: "log-empty" }, t("log.loading"));
    view.replaceChildren(viewer.note, spacer);
    return spacer;
}

function linesChanged(viewer) {
    const { lines, scroller, section } = viewer;
    const wasEmpty = !scroller.count;
    scroller.setCount(lines.count);
    section.dataset.ended = lines.ended;
    viewer.note.hidden = lines.count > 0;
    viewer.note.textContent = t(lines.ended ? "log.none" : "log.waiting");
    if (viewer.follows || wasEmpty) scroller.scrollTo(Infinity);
    else draw(viewer);
    // Whoever typed before this script was there is waiting for an answer.
    const text = wasEmpty && lines.count ? one(".log-bar input[type=search]", section)?.value : "";
    if (text && text !== viewer.search.text) search(viewer, text);
}

function moved(viewer, previous) {
    const { scroller } = viewer;
    if (scroller.isAtEnd()) setFollow(viewer, true);
    else if (scroller.top < previous) setFollow(viewer, false);
    draw(viewer);
}

function setFollow(viewer, follows) {
    viewer.follows = follows;
    const box = one("[data-log-follow]", viewer.section);
    if (box) box.checked = follows;
}

// MARK: Drawing

function draw(viewer) {
    viewer.frame ??= requestAnimationFrame(() => {
        viewer.frame = undefined;
        drawNow(viewer);
    });
}

function drawNow(viewer) {
    const { lines, rows, scroller, shown } = viewer;
    const first = Math.floor(scroller.top / ROW);
    const end = Math.min(lines.count, Math.ceil((scroller.top + scroller.page()) / ROW));
    lines.want(first, end);
    const [from, to] = withSelection(viewer, Math.max(0, first - OVERSCAN), Math.min(lines.count, end + OVERSCAN));
    rows.style.setProperty("--log-digits", String(lines.count).length);
    for (const [n, row] of shown) {
        if (n >= from && n < to) continue;
        row.remove();
        shown.delete(n);
    }
    let next = rows.firstChild;
    for (let n = from; n < to; n++) {
        const row = shown.get(n) ?? addRow(viewer, n, next);
        fill(viewer, row, n);
        next = row.nextSibling;
    }
    rows.style.transform = `translateY(${from * ROW - scroller.top}px)`;
}

function addRow({ rows, shown }, n, next) {
    const row = el("div", { className: "log-line", "data-line": n },
        el("span", { className: "log-number" }, String(n + 1)), el("span", { className: "log-text" }));
    rows.insertBefore(row, next);
    shown.set(n, row);
    return row;
}

// Filling again would drop the selection; so only what has changed since is filled.
function fill(viewer, row, n) {
    const { lines, search, version, timed } = viewer;
    const line = lines.get(n);
    row.classList.toggle("is-current", n === search.current());
    const state = `${line ? version : ""}`;
    if (row.state === state) return;
    row.state = state;
    row.classList.toggle("is-pending", !line);
    if (!line) return;
    row.dataset.stream = line.stream;
    one(".log-time", row)?.remove();
    if (timed) row.firstChild.after(timeOf(line));
    row.lastChild.replaceChildren(...highlighted(cleaned(line.text), search.pattern));
}

function timeOf(line) {
    const moment = new Date(line.time);
    const pad = (value, width = 2) => String(value).padStart(width, "0");
    const text = `${pad(moment.getHours())}:${pad(moment.getMinutes())}:${pad(moment.getSeconds())}`;
    const millis = pad(moment.getMilliseconds(), 3);
    return el("time", { className: "log-time", dateTime: line.time, title: line.time }, `${text}.${millis}`);
}

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

/** As a terminal would show it: no colours, and of a progress bar the last state. */
function cleaned(text) {
    const plain = text.replace(ESCAPES, "").replace(/\r+$/, "");
    const line = plain.slice(plain.lastIndexOf("\r") + 1).replace(/[\n\v\f\x85\u2028\u2029]/g, " ");
    if (line.length <= LONGEST) return line;
    return `${line.slice(0, LONGEST)}… ${t("log.cut", { count: formatCount(line.length - LONGEST) })}`;
}

function highlighted(text, pattern) {
    if (!pattern) return [text];
    const parts = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
        parts.push(text.slice(end, match.index), el("mark", {}, match[0]));
        end = match.index + match[0].length;
    }
    return [...parts, text.slice(end)];
}

// MARK: Selecting and copying

function selectedLines(view) {
    const selection = document.getSelection();
    if (selection.isCollapsed || !selection.rangeCount || !view.contains(selection.anchorNode)) return;
    const lineOf = (node) => (node.closest ? node : node.parentElement).closest(".log-line")?.dataset.line;
    const ends = [lineOf(selection.anchorNode), lineOf(selection.focusNode)];
    if (ends.includes(undefined)) return;
    return ends.map(Number).sort((a, b) => a - b);
}

// Rows that are selected stay while the view moves on, so that a selection can be longer than the view.
function withSelection({ view }, from, to) {
    const lines = selectedLines(view);
    if (!lines) return [from, to];
    const whole = [Math.min(from, lines[0]), Math.max(to, lines[1] + 1)];
    return whole[1] - whole[0] <= MOST_SELECTED ? whole : [from, to];
}

function copy(event, view) {
    const selection = document.getSelection();
    if (selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const texts = all(".log-text", view).filter((text) => range.intersectsNode(text)).map((text) => {
        const part = document.createRange();
        part.selectNodeContents(text);
        if (text.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
        if (text.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
        return part.toString();
    });
    if (!texts.length) return;
    event.clipboardData.setData("text/plain", texts.join("\n"));
    event.preventDefault();
}

// MARK: Searching

function searchChanged(viewer, line) {
    viewer.version++;
    showHits(viewer);
    if (line !== undefined) showLine(viewer, line);
    draw(viewer);
}

function showLine(viewer, line) {
    const { scroller } = viewer;
    const top = line * ROW;
    if (top >= scroller.top && top + ROW <= scroller.top + scroller.page()) return;
    setFollow(viewer, false);
    scroller.scrollTo(top - scroller.page() / 2);
}

function showHits({ section, search }) {
    const hits = one(".log-hits", section);
    if (hits) hits.textContent = hitsText(search);
    for (const button of all("[data-log-prev], [data-log-next]", section)) button.disabled = !search.matches.length;
}

function hitsText({ text, isBusy, total, index }) {
    if (!text) return "";
    if (isBusy) return t("log.searching");
    return total ? t("log.matches", { index: formatCount(index + 1), total: formatCount(total) }) : t("log.noMatches");
}

function typed(event, input) {
    const viewer = viewerOf(input);
    clearTimeout(viewer.typing);
    viewer.typing = setTimeout(() => search(viewer, input.value), 200);
}

function search(viewer, text) {
    clearTimeout(viewer.typing);
    const { scroller } = viewer;
    return viewer.search.ask(text, Math.floor((scroller.top + scroller.page()) / ROW) - 1);
}

function step(viewer, by) {
    const input = one(".log-bar input[type=search]", viewer.section);
    if (input && input.value !== viewer.search.text) return search(viewer, input.value);
    return viewer.search.step(by, viewer.lines.count);
}

function searchKey(event, input) {
    const viewer = viewerOf(input);
    if (event.isComposing) return;
    if (event.key === "Enter") {
        event.preventDefault();
        step(viewer, event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
        event.preventDefault();
        if (!input.value) viewer.view.focus();
        input.value = "";
        search(viewer, "");
    }
}

// MARK: Controls

// Not left to the browser: it would glide over the million lines between here and the end.
function viewKey(event, view) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { scroller } = viewerOf(view);
    const leap = scroller.page() - 2 * ROW;
    const tops = { Home: 0, End: Infinity, PageUp: scroller.top - leap, PageDown: scroller.top + leap };
    if (!(event.key in tops)) return;
    event.preventDefault();
    go(viewerOf(view), tops[event.key]);
}

function go(viewer, top) {
    setFollow(viewer, false);
    viewer.scroller.scrollTo(top);
}

function showTimes(box) {
    const viewer = viewerOf(box);
    viewer.timed = box.checked;
    viewer.version++;
    draw(viewer);
}

on("scroll", ".log-view", (event, view) => viewerOf(view)?.scroller.scrolled(), { capture: true, passive: true });
on("keydown", ".log-view", viewKey);
on("copy", ".log-view", copy);
on("input", ".log-bar input[type=search]", typed);
on("keydown", ".log-bar input[type=search]", searchKey);
on("click", "[data-log-prev]", (event, node) => step(viewerOf(node), -1));
on("click", "[data-log-next]", (event, node) => step(viewerOf(node), 1));
on("click", "[data-log-start]", (event, node) => go(viewerOf(node), 0));
on("click", "[data-log-end]", (event, node) => go(viewerOf(node), Infinity));
on("change", "[data-log-times]", (event, box) => showTimes(box));
on("change", "[data-log-follow]", (event, box) => {
    if (box.checked) go(viewerOf(box), Infinity);
    else setFollow(viewerOf(box), false);
});

function heard({ detail }) {
    for (const section of all("[data-log]")) {
        const lines = viewers.get(section)?.lines;
        if (!lines?.isLoaded || lines.ended) continue;
        if (detail.lineCount === undefined) lines.poll();
        else if (String(detail.node) === (section.dataset.node ?? "0")) lines.grow(detail.lineCount);
    }
}

document.addEventListener("takumi:log", heard);
// A change may be the end of the program, after which no line comes any more.
document.addEventListener("takumi:change", heard);
