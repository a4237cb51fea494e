// Forms: rows of pairs, fields that depend on others, defaults that follow a name, and one submit per form.

import { all, on, one } from "./dom.js";
import { onContent } from "./live.js";

export function startForms() {
    onContent(() => {
        all("[data-pairs]").forEach(setUpPairs);
        all("form").forEach(settle);
        all("[data-default-from]").forEach(setUpDefault);
        all(".path-field input").forEach(showEnd);
    });
    on("change", ".path-field input", (event, input) => showEnd(input));
    on("input", "form", (event, form) => {
        keepSpare(event.target);
        followDefaults(event.target, form);
    });
    on("change", "form", (event, form) => settle(form));
    on("click", "[data-pair-add]", (event, button) => addAndFocus(button.closest("[data-pairs]")));
    on("click", "[data-pair-remove]", (event, button) => removePair(button.closest("[data-pair]")));
    on("click", ".form-error a[href^='#']", focusField);
    document.addEventListener("keydown", keys);
    document.addEventListener("submit", lock);
    addEventListener("pageshow", (event) => event.persisted && all("form[data-submitting]").forEach(unlock));
    one(".form-error")?.focus();
}

// Of a path in storage the end tells it from others.
const showEnd = (input) => { if (input !== document.activeElement) input.scrollLeft = input.scrollWidth; };

// Enter in a row is not the end of the form: it goes on to the next field, which may be that of a new row.
function keys(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    const control = event.target;
    if (event.ctrlKey || event.metaKey) return control.form?.matches("[data-form]") && control.form.requestSubmit();
    const group = control.closest?.("[data-pair]") && control.closest("[data-pairs]");
    if (!group || !control.matches("input, textarea")) return;
    event.preventDefault();
    const controls = all(TEXTS, group);
    controls[controls.indexOf(control) + 1]?.focus();
}

function focusField(event, link) {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const control = field?.matches(CONTROLS) ? field : field && one(CONTROLS, field);
    if (!control) return;
    event.preventDefault();
    control.focus();
    control.scrollIntoView({ block: "center" });
}

// MARK: Pairs

const CONTROLS = "input:not([type=hidden]), select, textarea";
const pairsOf = (group) => all("[data-pair]", group);
const TEXTS = "input:not([type=hidden], [type=checkbox]), textarea";
// A select counts where it can be left empty; one that always has a value says nothing.
const CHOICES = 'select:has(option[value=""])';
const isEmpty = (pair) => all(`${TEXTS}, ${CHOICES}`, pair).every((input) => !input.value.trim());
const isLean = (group) => "lean" in group.dataset;

function setUpPairs(group) {
    if ("ready" in group.dataset) return;
    group.dataset.ready = "";
    // Ids only have to differ, so they count on; names are numbered anew when a row goes.
    group.dataset.nextId = pairsOf(group).length;
    trimSpares(group);
}

function trimSpares(group) {
    const pairs = pairsOf(group);
    while (pairs.length > 1 && isEmpty(pairs.at(-1)) && (isLean(group) || isEmpty(pairs.at(-2)))) pairs.pop().remove();
    if (!pairs.length || !isLean(group) && !isEmpty(pairs.at(-1))) addPair(group);
}

const NUMBERED = /^(id|for|name|aria-.*|data-.*)$/;

function addPair(group) {
    const template = one("[data-pair-template]", group);
    if (!template) return;
    const pair = template.content.firstElementChild.cloneNode(true);
    const id = group.dataset.nextId++;
    for (const node of [pair, ...all("*", pair)]) {
        for (const attribute of node.attributes) {
            if (NUMBERED.test(attribute.name)) attribute.value = attribute.value.replaceAll("#", id);
        }
    }
    template.before(pair);
    renumber(group);
    return pair;
}

function addAndFocus(group) {
    const last = pairsOf(group).at(-1);
    const spare = last && isEmpty(last) ? last : addPair(group);
    one(CONTROLS, spare)?.focus();
}

function removePair(pair) {
    const group = pair.closest("[data-pairs]");
    const pairs = pairsOf(group);
    const index = pairs.indexOf(pair);
    pair.remove();
    trimSpares(group);
    renumber(group);
    const rest = pairsOf(group);
    one(CONTROLS, rest[Math.min(index, rest.length - 1)])?.focus();
}

function renumber(group) {
    const prefix = group.dataset.pairs;
    pairsOf(group).forEach((pair, index) => {
        for (const control of all("[name]", pair)) {
            if (!control.name.startsWith(`${prefix}[`)) continue;
            control.name = `${prefix}[${index}]${control.name.slice(control.name.indexOf("]", prefix.length) + 1)}`;
        }
    });
}

function keepSpare(control) {
    const pair = control.closest?.("[data-pair]");
    const group = pair?.closest("[data-pairs]");
    if (group && !isLean(group) && pair === pairsOf(group).at(-1) && !isEmpty(pair)) addPair(group);
}

// MARK: Fields that depend on others

function settle(form) {
    pairCores(form);
    for (const field of all("[data-show-when]", form)) {
        const [name, value = ""] = field.dataset.showWhen.split("=");
        show(field, value.split("|").includes(valueOf(form.elements[name])));
    }
}

function valueOf(control) {
    if (!control || control.disabled) return "";
    return control.type === "checkbox" && !control.checked ? "" : control.value;
}

// Hidden controls are disabled, too: a hidden required one would block the submit without a word.
export function show(field, isShown) {
    if (!field || field.hidden === !isShown) return;
    field.hidden = !isShown;
    for (const control of all("input, select, textarea, button", field)) {
        if (!isShown && !control.disabled) {
            control.disabled = true;
            control.dataset.wasEnabled = "";
        } else if (isShown && "wasEnabled" in control.dataset) {
            control.disabled = false;
            delete control.dataset.wasEnabled;
        }
    }
}

/** An image for CPUs goes with flavors of CPUs, and only PyTorch has torchrun. */
function pairCores(form) {
    const image = one("select[data-core-source]", form)?.selectedOptions[0];
    if (!image) return;
    const { core, framework } = image.dataset;
    for (const select of all("select[data-requires]", form)) {
        for (const option of select.options) {
            option.disabled = Boolean(core && option.dataset.core && option.dataset.core !== core);
        }
        const isWrong = select.selectedOptions[0]?.disabled;
        if (isWrong) select.value = [...select.options].find((option) => !option.disabled)?.value ?? "";
    }
    show(one("[name=useTorchrun]", form)?.closest(".field"), framework === "PYTORCH");
}

// MARK: Defaults that follow another field

function setUpDefault(input) {
    if ("linked" in input.dataset) return;
    const source = input.form?.elements[input.dataset.defaultFrom];
    input.dataset.linked = !input.value || input.value === defaultFor(input, source);
    if (source?.value) fill(input, source);
}

function followDefaults(changed, form) {
    // Emptying the field gives it back to the default.
    if (changed.dataset.defaultFrom) changed.dataset.linked = !changed.value;
    for (const input of all("[data-default-from]", form)) {
        if (input !== changed && input.dataset.defaultFrom === changed.name) fill(input, changed);
    }
}

function fill(input, source) {
    if (input.dataset.linked === "true") input.value = defaultFor(input, source);
}

function defaultFor(input, source) {
    const slug = (source?.value ?? "").trim().replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "");
    return slug && input.dataset.default.replaceAll("{}", () => slug);
}

// MARK: One submit

function lock(event) {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if ("submitting" in form.dataset) return event.preventDefault();
    form.dataset.submitting = "";
    event.submitter?.classList.add("is-busy");
    event.submitter?.setAttribute("aria-disabled", "true");
    // A reply that never comes, or is a download, must not leave the form dead.
    setTimeout(() => unlock(form), 15_000);
}

function unlock(form) {
    delete form.dataset.submitting;
    for (const button of all(".is-busy", form)) {
        button.classList.remove("is-busy");
        button.removeAttribute("aria-disabled");
    }
}
