// A scrollbar over more lines than an element can be high.
//
// Browsers limit an element's height (Firefox to 17.9 million px), and graphics lose whole pixels beyond 2^24, which on
// high-density screens is half as much. So the spacer ends at CAP. Near both ends scrolling stays pixel by pixel; only
// the middle is squeezed. There, too, the wheel moves by its true distance: small steps add to `top` directly, and the
// scrollbar is put where it belongs once scrolling rests.

export const ROW = 20;
const CAP = 8_000_000;
const EDGE = 1_000_000;

/** Maps a position of a range [0, from] to one of [0, to], both ends one to one. */
export function squeeze(value, from, to) {
    if (value <= EDGE || from === to) return value;
    if (value >= from - EDGE) return to - (from - value);
    return EDGE + (value - EDGE) * (to - 2 * EDGE) / (from - 2 * EDGE);
}

/** Positions are in px of the whole log; `moved(previousTop)` is called when the reader, or the log, moved. */
export function createScroller(view, spacer, moved) {
    const scroller = { count: 0, top: 0, setCount, scrollTo, scrolled, isAtEnd, maxTop, page };
    let last = 0;
    let rest;
    const bar = () => Math.min(scroller.count * ROW, CAP);
    const maxBar = () => Math.max(0, bar() - page());

    function page() {
        return view.clientHeight;
    }

    function maxTop() {
        return Math.max(0, scroller.count * ROW - page());
    }

    function isAtEnd() {
        return scroller.top >= maxTop() - ROW / 2;
    }

    function setCount(count) {
        if (count === scroller.count) return;
        scroller.count = count;
        spacer.style.height = `${bar()}px`;
    }

    function scrollTo(top) {
        scroller.top = Math.min(Math.max(0, top), maxTop());
        settle();
        moved(scroller.top);
    }

    function settle() {
        const target = squeeze(scroller.top, maxTop(), maxBar());
        if (Math.abs(view.scrollTop - target) >= 1) view.scrollTop = target;
        last = view.scrollTop;
    }

    function scrolled() {
        const now = view.scrollTop;
        const delta = now - last;
        if (!delta) return;
        last = now;
        const previous = scroller.top;
        const isStep = Math.abs(delta) < 2 * page() && now > 0 && now < maxBar() - 1;
        const top = isStep ? previous + delta : squeeze(now, maxBar(), maxTop());
        scroller.top = Math.min(Math.max(0, top), maxTop());
        clearTimeout(rest);
        rest = setTimeout(settle, 150);
        moved(previous);
    }

    return scroller;
}
