// The table of changes. Only the rows that are seen are in the document; they stand in a pane that stays in place
// while the reader scrolls over something as high as all rows together.

const at = (id) => document.getElementById(id);
const viewport = at("viewport");
const grid = at("grid");
const highest = 8e6; // pixels: browsers do not lay out things of any height

const shown = { lines: [], active: 0, rowHeight: 34, headHeight: 36, scrolls: 0, rolls: 0 };

const bodyHeight = () => viewport.clientHeight - shown.headHeight;

function measure() {
    shown.rowHeight = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    viewport.style.height = "";
    shown.headHeight = grid.tHead.offsetHeight;
    const full = shown.headHeight + Math.max(1, shown.lines.length) * shown.rowHeight;
    viewport.style.height = Math.min(viewport.offsetHeight, full + 2) + "px";
    at("sizer").style.height = Math.max(Math.min(full, highest), viewport.clientHeight) + "px";
    at("pane").style.height = viewport.clientHeight + "px";
    shown.scrolls = Math.min(full, highest) - viewport.clientHeight; // pixels that the scroll bar goes
    shown.rolls = full - viewport.clientHeight; // and those that the rows go meanwhile
}

const scrolled = () => (shown.scrolls > 0 ? (viewport.scrollTop * shown.rolls) / shown.scrolls : 0);

function scrollRowsTo(y) {
    viewport.scrollTop = shown.rolls > 0 ? (y * shown.scrolls) / shown.rolls : 0;
}

function cell(className, content) {
    const made = element("td", className);
    made.setAttribute("role", "gridcell");
    made.append(content);
    return made;
}

function textCell(className, text) {
    const inner = element("bdi", "");
    appendText(inner, text.length > shownInRow ? text.slice(0, shownInRow) + "…" : text, false);
    return cell(className, inner);
}

function rowElement(place) {
    const line = shown.lines[place];
    const row = rowOf(line);
    const made = element("tr", place === shown.active ? "active" : "");
    made.id = "row-" + place;
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", place + 2);
    if (place === shown.active) made.setAttribute("aria-selected", "true");
    const sides = sidesOfLine(line);
    made.append(
        textCell("c-id", identifierText(row)),
        textCell("c-table", tables[row[0]].title),
        cell("c-action", element("span", "action " + actions[row[1]], actions[row[1]])),
        textCell("c-column", columnName(line)),
        cell("c-before", valueCell(sides, -1, false)),
        cell("c-after", valueCell(sides, 1, false)),
    );
    return made;
}

function render() {
    const y = scrolled();
    const first = Math.min(Math.floor(y / shown.rowHeight), Math.max(0, shown.lines.length - 1));
    const last = Math.min(shown.lines.length, first + Math.ceil(bodyHeight() / shown.rowHeight) + 1);
    const made = [];
    for (let place = first; place < last; ++place) made.push(rowElement(place));
    const body = at("rows");
    body.replaceChildren(...made);
    body.style.transform = `translateY(${Math.round(first * shown.rowHeight - y)}px)`;
    if (shown.active >= first && shown.active < last) grid.setAttribute("aria-activedescendant", "row-" + shown.active);
    else grid.removeAttribute("aria-activedescendant");
}

/** Shows these lines from the top. */
function showLines(lines) {
    shown.lines = lines;
    shown.active = 0;
    grid.setAttribute("aria-rowcount", lines.length + 1);
    measure();
    viewport.scrollTop = 0;
    render();
}

/** Makes a row the active one, and brings it into sight. */
function moveTo(place) {
    shown.active = Math.max(0, Math.min(shown.lines.length - 1, place));
    const top = shown.active * shown.rowHeight;
    const y = scrolled();
    if (top < y) scrollRowsTo(top);
    else if (top + shown.rowHeight > y + bodyHeight()) scrollRowsTo(top + shown.rowHeight - bodyHeight());
    render();
}

const page = () => Math.max(1, Math.floor(bodyHeight() / shown.rowHeight) - 1);
const moves = {
    ArrowDown: () => moveTo(shown.active + 1),
    ArrowUp: () => moveTo(shown.active - 1),
    PageDown: () => moveTo(shown.active + page()),
    PageUp: () => moveTo(shown.active - page()),
    Home: () => moveTo(0),
    End: () => moveTo(shown.lines.length - 1),
    Enter: () => openDetail(shown.lines[shown.active]),
    " ": () => openDetail(shown.lines[shown.active]),
};

grid.addEventListener("keydown", (event) => {
    const move = Object.hasOwn(moves, event.key) ? moves[event.key] : undefined;
    if (event.target !== grid || !move || shown.lines.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
});
at("rows").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || getSelection().toString() !== "") return;
    shown.active = Number(row.id.slice("row-".length));
    render();
    openDetail(shown.lines[shown.active]);
});
let waiting = false;
viewport.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
        waiting = false;
        render();
    });
});
new ResizeObserver(() => {
    if (viewport.clientWidth === shown.width) return;
    shown.width = viewport.clientWidth;
    measure();
    render();
}).observe(viewport);
