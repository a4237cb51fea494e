// Brings an element to the state of a freshly parsed one by changing only what differs. Replacing it whole would lose
// focus, checked boxes, selections, and a click whose mouse button is still down.

/** What scripts filled themselves: the server's empty version of it must not overwrite the inside. */
export const OPAQUE = "[data-log], [data-charts], [data-study], [data-tabs], .uploads";

export function morph(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
        old.nodeValue = fresh.nodeValue;
        return;
    }
    syncAttributes(old, fresh);
    if (!old.matches(OPAQUE)) morphChildren(old, fresh);
}

function syncAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
        // Whether a <details> is open is the reader's, not the server's.
        if (!fresh.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
}

function morphChildren(old, fresh) {
    const kept = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    let cursor = old.firstChild;
    for (const next of [...fresh.childNodes]) {
        // Rows that went away are removed before matching; otherwise every row below them would move and lose focus.
        while (cursor?.id && !kept.has(cursor.id)) cursor = removeAndAdvance(cursor);
        const match = next.id ? known.get(next.id) : sameKind(cursor, next) ? cursor : null;
        if (!match || !sameKind(match, next)) {
            old.insertBefore(document.adoptNode(next), cursor);
            continue;
        }
        if (match === cursor) cursor = cursor.nextSibling;
        else old.insertBefore(match, cursor);
        morph(match, next);
    }
    while (cursor) cursor = removeAndAdvance(cursor);
}

const sameKind = (a, b) => a && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

function removeAndAdvance(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
}
