// When charts load: at once, again when what they show may have changed, and in new colours with the theme.

import { all, el, meta } from "./dom.js";

const PACE = 2000;
let library;

export function loadLibrary() {
    library ??= new Promise((resolve, reject) => {
        const script = el("script", { src: meta("chart"), onload: () => resolve(window.Chart), onerror: reject });
        document.head.append(script);
    });
    return library;
}

/** What loads every `[data-NAME]` that is new: an element whose attribute holds the address of what it shows.
    `load` gets the element and a function that says whether it is still the latest to load it: answers can overtake. */
export function liveSections(name, load) {
    const states = new WeakMap();

    function start(section) {
        const state = states.get(section);
        state.lastStart = performance.now();
        const turn = state.turn = {};
        load(section, () => turn === state.turn);
    }

    function refreshAll({ detail }) {
        if (document.hidden) return;
        for (const section of all(`[data-${name}]`)) {
            const state = states.get(section);
            // A change of something else in the project is not this page's.
            if (!state || state.timer || (detail?.id && !section.dataset[name].includes(detail.id))) continue;
            const wait = Math.max(0, state.lastStart + PACE - performance.now());
            state.timer = setTimeout(() => {
                state.timer = undefined;
                start(section);
            }, wait);
        }
    }

    document.addEventListener("takumi:samples", refreshAll);
    document.addEventListener("takumi:change", refreshAll);
    document.addEventListener("visibilitychange", () => refreshAll({}));
    return () => {
        for (const section of all(`[data-${name}]`)) {
            if (states.has(section)) continue;
            states.set(section, { lastStart: -Infinity });
            start(section);
        }
    };
}

export function onTheme(recolour) {
    new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
}
