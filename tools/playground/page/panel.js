// The panel: fires alerts as their senders do, and moves the clock.

import { el } from './dom.js';

const HOUR = 3600;
const MOVES = [['+ 10 min', 600], ['+ 1 h', HOUR], ['+ 8 h', 8 * HOUR], ['+ 1 day', 24 * HOUR]];
const wanted = { sender: 'alertmanager', source: 'shop/loadgen', destination: 'shop/cart', port: '8080', count: '200' };

/** Draw the panel. `panel` is what the server says of it, `ask(request)` does what a button says. */
export function panelOf(panel, channel, ask) {
  const line = (label, control) => el('label', { class: 'panel-line' }, el('span', {}, label), control);
  const box = (name, type = 'text') => el('input', { class: 'control', type, value: wanted[name], 'data-panel': name, oninput: (event) => { wanted[name] = event.target.value; } });
  const act = (label, request, style = '') => el('button', { type: 'button', class: `button ${style}`, onclick: () => ask(request()) }, label);
  const sender = el('select', { class: 'control', 'data-panel': 'sender', onchange: (event) => { wanted.sender = event.target.value; } },
    Object.entries(panel.senders).map(([value, label]) => el('option', { value, selected: value === wanted.sender }, label)));
  const alert = (resolved) => () => ({ do: 'fire', sender: wanted.sender, channel, source: wanted.source, destination: wanted.destination, port: wanted.port, resolved });
  return [
    el('section', { class: 'panel-part' }, el('h3', {}, 'Alerts'),
      panel.takes_webhooks ? null : el('p', { class: 'hint' }, 'Webhooks go nowhere: the app\u2019s address for alerts is not known. Those in Slack are posted here.'),
      line('Sender', sender), line('From', box('source')), line('To', box('destination')), line('Port', box('port', 'number')),
      el('div', { class: 'button-row' }, act('Fire', alert(false), 'button-danger'), act('Resolve', alert(true), 'button-primary')),
      line('A storm of', box('count', 'number')), el('div', { class: 'button-row' }, act('Let it break', () => ({ do: 'storm', count: wanted.count }), 'button-danger'))),
    el('section', { class: 'panel-part' }, el('h3', {}, 'Clock'),
      el('p', { class: 'clock-now' }, el('time', {}, new Date(Date.now() + panel.ahead * 1000).toLocaleString()), panel.ahead ? `, ${words(panel.ahead)} ahead` : ''),
      el('div', { class: 'button-row' }, MOVES.map(([label, seconds]) => act(label, () => ({ do: 'move', seconds })))),
      el('p', { class: 'hint' }, panel.moves_app
        ? 'Moves the time of day of the page, the bot, the worker and beat, forward only. Redis goes on expiring by the time that passes.'
        : 'Moves the time of the page alone: the app keeps the machine\u2019s.')),
  ];
}

const words = (seconds) => (seconds >= 24 * HOUR ? `${Math.round(seconds / (24 * HOUR) * 10) / 10} days` : seconds >= HOUR ? `${Math.round(seconds / HOUR * 10) / 10} h` : `${Math.round(seconds / 60)} min`);
