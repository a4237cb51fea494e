// Small helpers that every module shares. Data reaches the page as text only: nothing here parses HTML.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const meta = (name) => one(`meta[name="${name}"]`)?.content;
export const language = document.documentElement.lang || "en";

/** An element; a property where it has one of that name, an attribute otherwise. */
export function el(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name in node) node[name] = value;
        else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
}

export function icon(name) {
    const make = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
    const svg = make("svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = make("use");
    use.setAttribute("href", `${new URL("../icons.svg", import.meta.url)}#${name}`);
    svg.append(use);
    return svg;
}

/** Listens on the document, so that elements which live updates replace need no new listeners. */
export function on(type, selector, handler, options) {
    document.addEventListener(type, (event) => {
        const target = event.target.closest?.(selector);
        if (target) handler(event, target);
    }, options);
}

export async function fetchJSON(url, signal) {
    const response = await fetch(url, { signal, headers: { Accept: "application/json" } });
    const body = await response.json().catch(() => undefined);
    if (response.ok && body) return body;
    throw new Error(body?.errors?.[0]?.message ?? `${response.status} ${response.statusText}`);
}

export function formatBytes(bytes) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.abs(bytes) || 1) / 10)));
    return `${formatNumber(bytes / 1024 ** power, 3)} ${units[power]}`;
}

export const formatNumber = (value, digits = 4) => value.toLocaleString(language, { maximumSignificantDigits: digits });
export const formatCount = (value) => value.toLocaleString(language);
