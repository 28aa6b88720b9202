// Shows the page at three widths, light and dark, and writes what is wrong with it, one line each, and the order of a
// sorted table.
const wrong = [];
const facts = {};
const brightness = colour => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765;
function opened(width, scheme) {
  const frame = document.createElement('iframe');
  frame.style = `width: ${width}px; height: 900px; border: 0; color-scheme: ${scheme}`;
  document.body.append(frame);
  const page = frame.contentDocument;
  page.open();
  page.write(PAGE);
  page.close();
  return page;
}
function overflows(page, where) {
  const width = page.documentElement.clientWidth;
  if (page.documentElement.scrollWidth > width) wrong.push(`${where}: the page is ${page.documentElement.scrollWidth} wide`);
  for (const element of page.querySelectorAll('body *')) {
    const scrolls = element.parentElement.closest('.scroll') && !where.startsWith('paper');
    if (element.closest('svg svg, g, defs') || scrolls) continue;
    const box = element.getBoundingClientRect();
    if (box.right > width + 1) wrong.push(`${where}: ${element.tagName} "${element.textContent.slice(0, 40)}" ends at ${box.right}`);
  }
}
for (const [width, scheme] of [[400, 'light'], [800, 'light'], [1440, 'light'], [400, 'dark'], [800, 'dark'], [1440, 'dark']]) {
  const page = opened(width, scheme);
  const where = `${width} ${scheme}`;
  const dark = scheme === 'dark';
  if (page.defaultView.matchMedia('(prefers-color-scheme: dark)').matches !== dark) wrong.push(`${where}: the scheme is another`);
  const style = page.defaultView.getComputedStyle(page.body);
  const figure = page.defaultView.getComputedStyle(page.querySelector('figure'));
  if (brightness(style.color) > 0.5 !== dark) wrong.push(`${where}: text is ${style.color}`);
  if (brightness(figure.backgroundColor) > 0.5 === dark) wrong.push(`${where}: figures are ${figure.backgroundColor}`);
  // The layout does not depend on the scheme.
  if (dark) continue;
  overflows(page, where);
  for (const svg of page.querySelectorAll('figure svg')) {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    for (const text of svg.querySelectorAll('text')) {
      const size = scale * Number(text.getAttribute('font-size'));
      if (!(size >= 6)) { wrong.push(`${where}: text of ${size} pixels: ${text.textContent}`); break; }
    }
  }
  if (width === 800) sorted(page);
}
function sorted(page) {
  const table = [...page.querySelectorAll('table')].at(-1);
  const titles = [...table.tHead.rows[0].cells];
  const column = titles.findIndex(title => title.textContent === 'batch_size');
  const order = () => [...table.tBodies[0].rows].map(row => row.cells[column].textContent + '/' + row.cells[0].textContent).join(' ');
  const button = titles[column].querySelector('button');
  button.focus();
  if (page.activeElement !== button) wrong.push('the title cannot be reached with the keyboard');
  button.click();
  facts.up = titles[column].getAttribute('aria-sort') + ' ' + order();
  button.click();
  facts.down = titles[column].getAttribute('aria-sort') + ' ' + order();
  titles[0].querySelector('button').click();
  facts.first = titles[0].getAttribute('aria-sort') + ' ' + titles[column].getAttribute('aria-sort') + ' ' + order();
  facts.keys = JSON.stringify(['−17.9 [−19.2, −16.1]', '(2.0 ± 6.1)e−7', '< 1e-4', '97.3 %', '–', 'Full', 'conv1', '+1.2 points']
    .map(text => page.defaultView.key(text)));
}
// The paper is 186 mm wide. The rules of print are applied as if the frame was paper.
const paper = opened(703, 'light');
for (const rule of paper.styleSheets[0].cssRules) {
  if (!rule.media) continue;
  const print = rule.media.mediaText;
  rule.media.mediaText = print === 'print' ? 'all' : print.replace('screen', 'print');
}
overflows(paper, 'paper');
document.body.innerHTML = '';
const result = document.createElement('pre');
result.id = 'result';
result.textContent = wrong.map(line => `wrong: ${line}`).concat(Object.entries(facts).map(([name, fact]) => `${name}: ${fact}`)).join('\n');
document.body.append(result);
document.querySelectorAll('script').forEach(script => script.remove());
