// Values as the report's data has them: null, true, false, numbers that JavaScript keeps exactly, texts, and
// {"$kind": text} for the rest: $n a number's digits, $blob and $text hexadecimal, $real inf. [value, bytes] is one
// that was cut. All of it is data: it becomes text nodes, never markup.

const isCut = (value) => Array.isArray(value);
const whole = (value) => (isCut(value) ? value[0] : value);

/** {kind, text} of a value; kind is null, empty, text, number, boolean, or what stands behind the $. */
function reading(value) {
    const of = whole(value);
    if (of === null) return { kind: "null", text: "NULL" };
    if (of === undefined) return { kind: "absent", text: "" };
    if (typeof of === "string") return { kind: of === "" ? "empty" : "text", text: of };
    if (typeof of === "number") return { kind: "number", text: String(of) };
    if (typeof of === "boolean") return { kind: "boolean", text: String(of) };
    const [tag, text] = Object.entries(of)[0];
    return tag === "$n" || tag === "$real" ? { kind: "number", text } : { kind: tag.slice(1), text };
}

/** What is compared when sorting: numbers before texts, NULL first. */
function sortKey(value) {
    const { kind, text } = reading(value);
    if (kind === "null" || kind === "absent") return -Infinity;
    const number = kind === "number" || /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : NaN;
    return Number.isNaN(number) ? text : number;
}

function compareKeys(a, b) {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
}

function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
}

// Characters that nobody sees, or that move or hide others; src/report/visible_text.cpp has the same list.
const hidden =
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}\ud800-\udfff]/gu;
const named = { "\n": "↵", "\t": "⇥", "\r": "␍" };

/** Appends text; hidden characters become marks. @param lines keeps line breaks and tabs as what they are */
function appendText(to, text, lines) {
    let from = 0;
    for (const found of text.matchAll(hidden)) {
        const character = found[0];
        if (lines && (character === "\n" || character === "\t")) continue;
        if (found.index > from) to.append(text.slice(from, found.index));
        const code = "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
        const mark = element("span", "code", named[character] ?? code);
        mark.title = code;
        to.append(mark);
        from = found.index + character.length;
    }
    to.append(text.slice(from));
}

/** The same for where no elements can be: options, titles. */
function plainText(text) {
    return text.replace(hidden, (c) => "[U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "]");
}

const count = (number) => number.toLocaleString("en-US");
