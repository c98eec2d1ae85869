// The rest of the page: the whole of one row, search, filters, sorting, and the theme.

const detail = at("detail");

function detailSection(row, column) {
    const sides = sidesOf(row, column);
    const section = element("section");
    const name = section.appendChild(element("h3"));
    appendText(name.appendChild(element("bdi")), tables[row[0]].columns[column][0], false);
    const pair = section.appendChild(element("div", "pair"));
    for (const [index, title] of ["before", "after"].entries()) {
        if (sides[index] === undefined) continue;
        const half = pair.appendChild(element("div"));
        half.append(element("h4", "", title), valueCell(sides, index === 0 ? -1 : 1, true));
    }
    return section;
}

/** Shows all columns of a line's row, those that differ first. */
function openDetail(line) {
    if (line === undefined) return;
    const row = rowOf(line);
    const columns = tables[row[0]].columns.map((_, column) => column);
    const changed = columns.filter((column) => differs(row, column));
    const same = columns.filter((column) => !changed.includes(column) && sidesOf(row, column).some((side) => side !== undefined));
    const title = at("detail-title");
    title.replaceChildren();
    appendText(title.appendChild(element("bdi")), `${tables[row[0]].title} ${identifierText(row)}`, false);
    at("detail-note").textContent = `${actions[row[1]]}: ${changed.length} of ${columns.length} columns differ`;
    at("detail-body").replaceChildren(...[...changed, ...same].map((column) => detailSection(row, column)));
    detail.showModal();
    detail.scrollTop = 0;
}

at("detail-close").addEventListener("click", () => detail.close());
detail.addEventListener("click", (event) => {
    if (event.target === detail) detail.close(); // beside it
});

const sorting = { by: "", direction: 1 };
const choices = { action: [], column: [], table: [] }; // what the options of a filter stand for, by their place

function fillSelect(name, all, values) {
    const select = at("filter-" + name);
    choices[name] = [undefined, ...values.map(([value]) => value)];
    select.replaceChildren(...[[all], ...values.map(([, text]) => [text])].map(([text], place) => {
        const option = element("option", "", plainText(text));
        option.value = place;
        return option;
    }));
}

/** What the lines have of something, with how many of each. */
function countLines(of) {
    const counts = new Map();
    for (let line = 0; line < lineRow.length; ++line) counts.set(of(line), (counts.get(of(line)) ?? 0) + 1);
    return [...counts];
}

function fillFilters() {
    const labelled = (text) => ([value, number]) => [value, `${text(value)} (${count(number)})`];
    fillSelect("action", "all", countLines((line) => rowOf(line)[1]).map(labelled((value) => actions[value])));
    fillSelect("column", "all", countLines(columnName).filter(([name]) => name !== "").map(labelled((value) => value)));
    const byTable = countLines((line) => rowOf(line)[0]);
    fillSelect("table", "all", byTable.map(labelled((value) => tables[value].title)));
    if (tables.length > 1) return;
    at("table-label").hidden = true;
    grid.classList.add("one-table");
}

function update() {
    const chosen = (name) => choices[name][at("filter-" + name).selectedIndex];
    const lines = filteredLines({
        text: at("search").value, action: chosen("action"), column: chosen("column"), table: chosen("table"),
    });
    if (sorting.by) sortLines(lines, sorting.by, sorting.direction);
    for (const button of grid.querySelectorAll("[data-sort]")) {
        const direction = button.dataset.sort !== sorting.by ? "none" : sorting.direction > 0 ? "ascending" : "descending";
        button.closest("th").setAttribute("aria-sort", direction);
    }
    showLines(lines);
    at("status").textContent = lineRow.length === 0
        ? "There are no rows to show."
        : `${count(lines.length)} of ${count(lineRow.length)} values in ${count(rows.length)} rows`;
}

/** Up, down, and back to the order of the run. */
function sortBy(name) {
    if (sorting.by !== name) Object.assign(sorting, { by: name, direction: 1 });
    else if (sorting.direction > 0) sorting.direction = -1;
    else Object.assign(sorting, { by: "", direction: 1 });
    update();
}

for (const button of grid.querySelectorAll("[data-sort]"))
    button.addEventListener("click", () => sortBy(button.dataset.sort));

let typed = 0;
at("search").addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(update, 120);
});
for (const select of at("tools").querySelectorAll("select")) select.addEventListener("change", update);
at("tools").addEventListener("submit", (event) => event.preventDefault());
at("tools").addEventListener("reset", () => {
    Object.assign(sorting, { by: "", direction: 1 });
    setTimeout(update); // when the fields are empty
});
document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea") || detail.open;
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    at("search").focus();
});

const themes = { "": "as the system", light: "light", dark: "dark" };
at("theme").addEventListener("click", () => {
    const names = Object.keys(themes);
    const next = names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length];
    if (next === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    at("theme").textContent = "Theme: " + themes[next];
});

document.documentElement.classList.add("js");
fillFilters();
update();
