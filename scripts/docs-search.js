// The search field of the documentation site. Runs in the browser, also from a file: what there is to be found stands before this
// text in search.js, as `sections`: [address from the root, page, heading, text in lower case].
const root = document.documentElement.dataset.root;
const field = document.querySelector("input[type=search]");
const menu = document.querySelector(".menu");
const found = document.querySelector(".found");

/** All words are in it; a heading with all of them comes before a text. Zero: not found. */
function worth([, page, heading, text], words) {
  const titles = `${page} ${heading}`.toLowerCase();
  if (words.every((word) => titles.includes(word))) return 2;
  return words.every((word) => titles.includes(word) || text.includes(word)) ? 1 : 0;
}

field.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  menu.hidden = words.length > 0;
  found.hidden = words.length === 0;
  const best = sections
    .map((section) => ({ section, value: worth(section, words) }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value)
    .slice(0, 20);
  const items = best.map(({ section: [address, page, heading] }) => {
    const link = document.createElement("a");
    link.href = root + address;
    link.textContent = heading === page ? page : `${page}: ${heading}`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  });
  if (items.length === 0) {
    const none = document.createElement("li");
    none.textContent = "No page has all of these words.";
    items.push(none);
  }
  found.replaceChildren(...items);
});
