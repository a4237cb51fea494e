// The lines of one log: what was fetched, and the fetching of what is looked at. One request at a time; one for lines
// that have scrolled out of sight is given up.

import { fetchJSON } from "./dom.js";

const MOST = 1000;
const AHEAD = 300;
const KEEP = 30_000;
const PACE = 80;

/** `changed()` is called when lines or their number have changed. */
export function createLines(url, node, changed) {
    const cache = new Map();
    const lines = { count: 0, ended: false, isLoaded: false, get: (n) => cache.get(n), want, start, grow, poll };
    let wanted = [0, 0];
    let flight;
    let timer;
    let lastStart = -Infinity;

    /** Starts at the end of the log. */
    async function start() {
        await request("last=200", Infinity, Infinity);
    }

    /** Someone said that there are this many lines. */
    function grow(count) {
        if (count <= lines.count) return;
        lines.count = count;
        changed();
    }

    /** Asks how many lines there are; after a lost connection nobody says it. */
    function poll() {
        if (!flight) request("last=1", Infinity, Infinity);
    }

    /** These lines [first, end) are in view. */
    function want(first, end) {
        wanted = [first, end];
        load();
    }

    function load() {
        const inView = missing(...wanted);
        if (flight) {
            const isCount = flight.first === Infinity;
            if (!inView || isCount || (flight.first <= inView[1] && inView[0] <= flight.end)) return;
            flight.abort.abort();
        }
        const gap = inView ? around(inView) : ahead();
        if (!gap) return;
        // Dragging the scrollbar passes by thousands of places; only those where it stays for a moment are fetched.
        clearTimeout(timer);
        const wait = lastStart + PACE - performance.now();
        if (wait > 0) timer = setTimeout(load, wait);
        else request(`from=${gap[0]}&count=${gap[1] - gap[0]}`, ...gap);
    }

    function missing(first, end) {
        const [from, to] = [Math.max(0, first), Math.min(lines.count, end)];
        let [low, high] = [from, to];
        while (low < to && cache.has(low)) low++;
        while (high > low && cache.has(high - 1)) high--;
        return low < high ? [low, high] : undefined;
    }

    function around([first, end]) {
        const gap = missing(first - AHEAD, end + AHEAD);
        const from = Math.max(gap[0], first - AHEAD);
        return [from, Math.min(gap[1], from + MOST)];
    }

    // Fetched in large pieces when the reader comes near the edge of what is there, not line by line.
    function ahead() {
        const [first, end] = wanted;
        if (!missing(first - AHEAD / 3, end + AHEAD / 3)) return;
        return missing(first - AHEAD, first) ?? missing(end, end + AHEAD);
    }

    async function request(query, first, end) {
        const mine = flight = { first, end, abort: new AbortController() };
        lastStart = performance.now();
        const known = lines.count;
        try {
            receive(await fetchJSON(`${url}/lines?node=${node}&${query}`, mine.abort.signal), known);
        } catch {
            if (mine !== flight || mine.abort.signal.aborted) return;
            flight = undefined;
            timer = setTimeout(lines.isLoaded ? load : start, 3000);
            return;
        }
        if (mine === flight) flight = undefined;
        changed();
        load();
    }

    function receive(answer, known) {
        // Fewer lines than before the request: another log under the same name.
        if (answer.lineCount < known) cache.clear();
        lines.count = answer.lineCount < known ? answer.lineCount : Math.max(lines.count, answer.lineCount);
        lines.ended = answer.ended;
        lines.isLoaded = true;
        answer.lines.forEach((line, index) => cache.set(answer.from + index, line));
        evict();
    }

    function evict() {
        if (cache.size <= KEEP) return;
        const middle = (wanted[0] + wanted[1]) / 2;
        for (const n of cache.keys()) if (Math.abs(n - middle) > KEEP / 4) cache.delete(n);
    }

    return lines;
}
