// The hyperparameters of a tuning: each row shows what its type needs, and a grid says how many combinations it has.

import { all, el, formatCount, on, one } from "./dom.js";
import { show } from "./forms.js";
import { t } from "./strings.js";

const TYPE = '[name$=".hyperparameterTypeCode"]';
const MOST = 1e9;
const RANGE = ["MinValue", "MaxValue", "Step", "Scale"];
const LISTED = new Set(["discrete", "categorical"]);

const groups = () => new Set(all(TYPE).map((select) => select.closest("[data-pairs]")));
const inputOf = (row, name) => one(`[name$=".hyperparameter${name}"]`, row);
const textOf = (row, name) => inputOf(row, name)?.value.trim() ?? "";
const typeOf = (row) => inputOf(row, "TypeCode").value.toLowerCase();
const isGrid = (group) => group.closest("form")?.elements.searchStrategyCode?.value === "GRID";

export function setUpSpecs() {
    for (const group of groups()) {
        if ("specs" in group.dataset) continue;
        group.dataset.specs = "";
        one("[data-pair-add]", group).after(el("p", { className: "hint", role: "status", "data-combinations": "" }));
        // Rows are added and removed by other scripts.
        new MutationObserver(() => settle(group)).observe(group, { childList: true });
        settle(group);
    }
}

on("input", "form", () => groups().forEach(count));
on("change", "form", () => groups().forEach(settle));
// A form that the browser or another script filled in says nothing.
addEventListener("pageshow", () => groups().forEach(settle));

// What is hidden is disabled, too, so that it is not sent, and still there when the type changes back. Of a row without
// any text, the choices would be sent.
document.addEventListener("formdata", ({ formData, target }) => {
    for (const type of all(TYPE, target)) {
        const row = type.closest("[data-pair]");
        if (isBlank(row)) for (const control of all("[name]", row)) formData.delete(control.name);
    }
});

const rowsOf = (group) => all("[data-pair]", group).filter((row) => one(TYPE, row));
const isBlank = (row) => all("input", row).every((input) => input.disabled || !input.value.trim());

function settle(group) {
    for (const row of rowsOf(group)) {
        const isListed = LISTED.has(typeOf(row));
        for (const name of RANGE) show(inputOf(row, name)?.closest(".field"), !isListed);
        show(inputOf(row, "SpecifiedValues")?.closest(".field"), isListed);
        const step = inputOf(row, "Step");
        const isNeeded = isGrid(group) && typeOf(row) === "double";
        step?.toggleAttribute("required", isNeeded);
        const mark = step && one(".optional", step.closest(".field"));
        if (mark) mark.hidden = isNeeded;
    }
    count(group);
}

// MARK: Combinations

function count(group) {
    const note = one("[data-combinations]", group);
    if (!note) return;
    const sizes = isGrid(group) ? rowsOf(group).filter((row) => !isBlank(row)).map(sizeOf) : [];
    const isComplete = sizes.length > 0 && sizes.every(Boolean);
    const number = isComplete ? sizes.reduce((product, size) => product * size, 1) : undefined;
    note.textContent = number ? words(number) : "";
    proposeMost(group, number);
}

// A grid refuses a maximum above its combinations. The form's own proposal makes room: without one, all are tried.
function proposeMost(group, number) {
    const field = group.closest("form")?.elements.maxTrialCount;
    if (!field) return;
    const proposed = Number(field.defaultValue);
    if (proposed > number && field.value === field.defaultValue) {
        field.value = "";
        field.dataset.emptied = "";
    } else if ("emptied" in field.dataset && (!isGrid(group) || number >= proposed)) {
        if (!field.value) field.value = field.defaultValue;
        delete field.dataset.emptied;
    }
    field.placeholder = "emptied" in field.dataset && number ? number : "";
}

function words(number) {
    if (number > MOST) return t("spec.tooMany");
    return number === 1 ? t("spec.one") : t("spec.other", { count: formatCount(number) });
}

/** How many values a row stands for; undefined while it does not say. */
function sizeOf(row) {
    if (LISTED.has(typeOf(row))) {
        const values = textOf(row, "SpecifiedValues").split(",").map((value) => value.trim());
        return new Set(values.filter(Boolean)).size;
    }
    const [least, most, step] = ["MinValue", "MaxValue", "Step"]
        .map((name) => textOf(row, name) ? Number(textOf(row, name)) : undefined);
    const by = step ?? (typeOf(row) === "int" ? 1 : undefined);
    if (!(most >= least) || !(by > 0) || !Number.isFinite(most - least)) return undefined;
    // 0.1 to 0.5 by 0.1 are five values, whatever the last bit says.
    return Math.floor((most - least) / by + 1e-9) + 1;
}
