// A chart of lines, drawn as a picture with its legend; the numbers are in its description for those who do not see it.

import { el } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 640;
const HEIGHT = 200;
const ROOM = { left: 44, right: 12, top: 20, bottom: 40 };

function drawn(tag, properties, words) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, String(value));
  if (words !== undefined) made.textContent = words;
  return made;
}

/** Draw the lines of several series over the labels of the first. */
export function lines(series) {
  const labels = (series[0]?.data ?? []).map((point) => String(point.label));
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => Number(point.value) || 0)));
  const x = (index) => ROOM.left + (labels.length < 2 ? 0 : index / (labels.length - 1)) * (WIDTH - ROOM.left - ROOM.right);
  const y = (value) => HEIGHT - ROOM.bottom - ((Number(value) || 0) / most) * (HEIGHT - ROOM.top - ROOM.bottom);
  const said = series.map((one) => `${one.name}: ${one.data.map((point) => `${point.label} ${point.value}`).join(', ')}`).join('; ');
  const picture = drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'chart-lines', role: 'img', 'aria-label': said });
  for (const value of [0, most / 2, most]) {
    picture.append(drawn('line', { x1: ROOM.left, x2: WIDTH - ROOM.right, y1: y(value), y2: y(value), class: 'chart-grid' }));
    picture.append(drawn('text', { x: ROOM.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, String(Math.round(value * 10) / 10)));
  }
  const every = Math.ceil(labels.length / 6);
  labels.forEach((label, index) => {
    const anchor = index === 0 ? 'start' : index === labels.length - 1 ? 'end' : 'middle';
    if (index % every === 0) picture.append(drawn('text', { x: x(index), y: HEIGHT - 12, 'text-anchor': anchor, class: anchor === 'middle' ? 'chart-between' : '' }, label));
  });
  series.forEach((one, number) => {
    picture.append(drawn('polyline', { points: one.data.map((point, index) => `${x(index)},${y(point.value)}`).join(' '), class: `chart-line chart-line-${number % 6}` }));
    one.data.forEach((point, index) => picture.append(drawn('circle', { cx: x(index), cy: y(point.value), r: 3, class: `chart-dot chart-line-${number % 6}` })));
  });
  return [picture, el('ul', { class: 'chart-legend' }, series.map((one, number) => el('li', { class: `chart-name chart-line-${number % 6}` }, String(one.name))))];
}
