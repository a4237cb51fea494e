// Snippets as tabs: headings followed by code, which without scripts simply follow each other.

import { all, el, on } from "./dom.js";

const CHOICE = "takumi.tab";

export function setUpTabs() {
    all("[data-tabs]").filter((group) => !group.querySelector("[role=tablist]")).forEach(setUp);
}

function setUp(group, groupIndex) {
    const headings = all("h3", group);
    const bar = el("div", { className: "tab-bar", role: "tablist" });
    const panels = headings.map((heading) => heading.nextElementSibling);
    headings.forEach((heading, index) => {
        const id = `tab-${groupIndex}-${index}`;
        panels[index].id ||= `${id}-panel`;
        const tab = el("button", { type: "button", role: "tab", id }, heading.textContent);
        tab.setAttribute("aria-controls", panels[index].id);
        bar.append(tab);
        panels[index].setAttribute("role", "tabpanel");
        panels[index].setAttribute("aria-labelledby", id);
        heading.hidden = true;
    });
    group.prepend(bar);
    const remembered = headings.findIndex((heading) => heading.textContent === stored());
    select([...bar.children], Math.max(0, remembered));
}

function select(tabs, chosen) {
    tabs.forEach((tab, index) => {
        tab.setAttribute("aria-selected", String(index === chosen));
        tab.tabIndex = index === chosen ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).hidden = index !== chosen;
    });
}

function choose(tab, by = 0) {
    const tabs = [...tab.parentElement.children];
    const index = (tabs.indexOf(tab) + by + tabs.length) % tabs.length;
    select(tabs, index);
    tabs[index].focus();
    try {
        localStorage.setItem(CHOICE, tabs[index].textContent);
    } catch { /* Private windows may refuse; then it is not remembered. */ }
}

function stored() {
    try {
        return localStorage.getItem(CHOICE);
    } catch {
        return null;
    }
}

on("click", "[data-tabs] [role=tab]", (event, tab) => choose(tab));
on("keydown", "[data-tabs] [role=tab]", (event, tab) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    choose(tab, by);
});
