// Search in one log. The server searches; this keeps the answer, and the place in it.

import { fetchJSON } from "./dom.js";

/** `changed(line)` is called after each answer or step, with the line to show if there is one. */
export function createSearch(url, node, changed) {
    const search = { text: "", total: 0, matches: [], index: -1, isBusy: false, ask, step, current };
    let abort;
    let searchedLines = 0;

    function current() {
        return search.matches[search.index];
    }

    /** Searches for text; the match to start with is the last one at or above line `near`. */
    async function ask(text, near) {
        abort?.abort();
        search.text = text;
        search.pattern = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : undefined;
        if (!text) return receive({ total: 0, matches: [], lineCount: 0 }, near);
        abort = new AbortController();
        const { signal } = abort;
        search.isBusy = true;
        changed();
        try {
            receive(await fetchJSON(`${url}/search?node=${node}&q=${encodeURIComponent(text)}`, signal), near);
        } catch {
            if (!signal.aborted) receive({ total: 0, matches: [], lineCount: 0 }, near);
        }
    }

    function receive(answer, near) {
        search.isBusy = false;
        search.total = answer.total;
        search.matches = answer.matches;
        searchedLines = answer.lineCount;
        search.index = search.matches.length ? Math.max(0, lastAtOrBelow(search.matches, near)) : -1;
        changed(current());
    }

    /** The next or previous match, around the ends; searches again where lines have come since. */
    async function step(by, lineCount) {
        const from = current();
        if (search.text && by > 0 && lineCount > searchedLines && search.index === search.matches.length - 1) {
            await ask(search.text, from ?? 0);
        }
        const { length } = search.matches;
        if (!length) return;
        search.index = (search.index + by + length) % length;
        changed(current());
    }

    return search;
}

function lastAtOrBelow(sorted, limit) {
    let [low, high] = [0, sorted.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle] <= limit) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}
