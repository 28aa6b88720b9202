// Sorts a table by a column when its title is clicked, or chosen with the keyboard. Numbers are sorted by value, and
// fields without a value stay last.
const missing = ['', '–', 'not finite', 'could not be measured'];
function key(text) {
  text = text.trim();
  if (missing.includes(text)) return [2, 0];
  if (text === 'Full') return [0, Infinity];
  const number = text.replace(/−/g, '-').match(/^(?:\x3c\s*|\()?([+-]?\d[\d.]*(?: ± [\d.]+\))?(?:e[+-]?\d+)?)/);
  return number ? [0, parseFloat(number[1].replace(/ ± [\d.]+\)/, ''))] : [1, text];
}
for (const table of document.querySelectorAll('table')) {
  const titles = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  if (!body.rows[1]) continue;
  titles.forEach((title, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...title.childNodes);
    title.append(button);
    button.onclick = () => {
      const turn = title.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      titles.forEach(other => other.removeAttribute('aria-sort'));
      title.setAttribute('aria-sort', turn === 1 ? 'ascending' : 'descending');
      const rows = [...body.rows].map(row => [key(row.cells[column].textContent), row]);
      rows.sort(([[kind, a]], [[other, b]]) => {
        if (kind !== other || kind === 2) return kind - other;
        if (a === b) return 0;
        return turn * (kind ? a.localeCompare(b, 'en', { numeric: true }) : a > b ? 1 : -1);
      });
      body.append(...rows.map(([, row]) => row));
    };
  });
}
// A printed page shows what is folded on the screen.
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(folded => folded.open = true));
