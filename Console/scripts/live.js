// Keeps the page true while it is open: one event stream says that something changed, the page itself is the answer.

import { all, el, one } from "./dom.js";
import { morph, OPAQUE } from "./morph.js";
import { t } from "./strings.js";

const hooks = [];

/** Runs now and after every live update; for what must be set up again on new elements. */
export function onContent(hook) {
    hooks.push(hook);
    hook();
}

const say = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`takumi:${name}`, { detail }));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// MARK: Refreshing

let queued;
let running = Promise.resolve();
let lastStart = -Infinity;
let skippedRegion = false;

/** Fetches the page and updates its regions; calls in quick succession share one fetch. */
export function refresh() {
    queued ??= pause(Math.max(300, lastStart + 1000 - performance.now()))
        // Never two at a time: the older answer could arrive last and win.
        .then(() => running)
        .then(() => {
            queued = undefined;
            lastStart = performance.now();
            return running = update().catch(() => {});
        });
    return queued;
}

async function update() {
    // no-store: from the cache, "back" would show this part of the page instead of the page.
    const response = await fetch(location.href, { headers: { "X-Part": "live" }, cache: "no-store" });
    if (response.redirected || response.status === 401) return signedOut();
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    applyRegions(page);
    if (page.title) document.title = page.title;
    for (const hook of hooks) hook();
}

function applyRegions(page) {
    const focused = document.activeElement;
    const done = new Set();
    changeKind(document.getElementById("listing"), page.getElementById("listing"));
    for (const fresh of all("[data-region][id]", page)) {
        const old = document.getElementById(fresh.id);
        if (!old || hasAncestorIn(done, fresh)) continue;
        if (isTypingIn(old)) {
            skippedRegion = true;
            continue;
        }
        done.add(fresh);
        morph(old, fresh);
    }
    // Moving a node, as when the order of rows changes, takes the focus from it.
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

// The first row of a list comes with all that a list has around it. Only a list without rows is a region as a whole.
function changeKind(old, fresh) {
    if (old && fresh && "region" in old.dataset !== "region" in fresh.dataset && !isTypingIn(old)) old.replaceWith(fresh);
}

function hasAncestorIn(regions, node) {
    for (let parent = node.parentElement; parent; parent = parent.parentElement) if (regions.has(parent)) return true;
    return false;
}

function isTypingIn(region) {
    const active = document.activeElement;
    return region.contains(active) && !active.closest(OPAQUE)
        && active.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

function signedOut() {
    close();
    if (one("form[data-form]")) showPill(t("live.signedOut"));
    else location.reload();
}

// MARK: The stream

let source;
let wasOpen = false;
let retry;
let retryDelay = 1000;
let hiddenTimer;
let pill;
let pillTimer;

export function startLive() {
    if (!streamURL()) return;
    // A tab opened behind this one looks again when somebody looks at it.
    if (!document.hidden) open();
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => event.persisted && open());
    addEventListener("online", open);
    document.addEventListener("visibilitychange", visibilityChanged);
    document.addEventListener("focusout", () => {
        if (skippedRegion) refresh();
        skippedRegion = false;
    });
}

const streamURL = () => one("main[data-live]")?.dataset.live;

function open() {
    stop();
    source = new EventSource(streamURL());
    source.addEventListener("open", opened);
    source.addEventListener("error", failed);
    source.addEventListener("change", (event) => {
        refresh();
        say("change", parse(event));
    });
    source.addEventListener("log", (event) => say("log", parse(event)));
    source.addEventListener("samples", (event) => say("samples", parse(event)));
}

function stop() {
    source?.close();
    source = undefined;
    clearTimeout(retry);
}

function close() {
    stop();
    hidePill();
}

function opened() {
    hidePill();
    retryDelay = 1000;
    // What happened since the page was rendered, or since the stream was lost, was told to nobody. The first opening
    // counts, too: a training that completed in between would otherwise look running for ever.
    refresh();
    say("log");
    if (wasOpen) say("samples");
    wasOpen = true;
}

function failed() {
    pillTimer ??= setTimeout(() => showPill(t("live.lost")), 2000);
    if (source?.readyState !== EventSource.CLOSED) return;
    // An answer other than 200 (a proxy while the server restarts, an ended session) makes browsers give up.
    source = undefined;
    refresh();
    clearTimeout(retry);
    retry = setTimeout(open, retryDelay);
    retryDelay = Math.min(retryDelay * 2, 30_000);
}

function visibilityChanged() {
    clearTimeout(hiddenTimer);
    // Browsers allow six connections to a host over HTTP/1.1; streams of tabs in the background would use them up.
    if (document.hidden) hiddenTimer = setTimeout(close, 5_000);
    else if (!source) open();
}

function parse(event) {
    try {
        return JSON.parse(event.data);
    } catch {
        return {};
    }
}

function showPill(text) {
    pill ??= el("div", { className: "live-lost", role: "status" });
    pill.textContent = text;
    document.body.append(pill);
}

function hidePill() {
    clearTimeout(pillTimer);
    pillTimer = undefined;
    pill?.remove();
    pill = undefined;
}
