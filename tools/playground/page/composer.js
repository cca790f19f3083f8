// The box to type in: Enter sends, Shift+Enter breaks the line, / offers commands, @ offers people, ↑ recalls.

import { avatar, el, icon } from './dom.js';

/** Make a composer. `options`: id, label, names, commands(), shortcuts(), use(shortcut), people(), send(text). */
export function composer(options) {
  const history = [];
  let recalled = 0;
  let offers = [];
  let chosen = 0;

  const area = el('textarea', { id: options.id, rows: 1, placeholder: options.label, 'aria-label': options.label, autocomplete: 'off', spellcheck: 'false', 'aria-controls': `${options.id}-offers` });
  const send = el('button', { type: 'button', class: 'send', 'aria-label': 'Send', disabled: true, onclick: () => submit() }, icon('send'));
  const menu = el('div', { id: `${options.id}-offers`, class: 'offers', role: 'listbox', 'aria-label': 'Suggestions', hidden: true });
  const made = el('div', { class: 'composer-box' }, menu, area,
    el('div', { class: 'composer-foot' }, el('span', { class: 'composer-hint' }, el('b', {}, 'Enter'), ' to send · ', el('b', {}, 'Shift + Enter'), ' for a new line'),
      options.shortcuts().map((item) => el('button', { type: 'button', class: 'link-button', title: 'Shortcut', onclick: () => options.use(item) }, `⚡ ${item.name}`)), send));

  const fit = () => {
    area.style.setProperty('height', 'auto');
    area.style.setProperty('height', `${Math.min(area.scrollHeight, 240)}px`);
    send.disabled = area.value.trim() === '';
  };

  function submit() {
    const text = area.value.trim();
    if (!text) return;
    history.push(text);
    recalled = history.length;
    area.value = '';
    offer();
    fit();
    options.send(text);
  }

  function offer() {
    const before = area.value.slice(0, area.selectionStart);
    const command = /^\/(\S*)$/.exec(before);
    const asking = /^(\/\S+) ?$/.exec(before);
    const person = /(?:^|\s)@([\w-]*)$/.exec(before);
    offers = [];
    if (command) {
      offers = options.commands().filter((item) => item.command.startsWith(before)).map((item) => ({
        shown: [el('span', { class: 'offer-name' }, item.command), el('span', { class: 'offer-hint' }, item.hint), el('span', { class: 'offer-about' }, item.description)],
        take: () => fill(`${item.command} `),
      }));
    } else if (asking) {
      const known = options.commands().find((item) => item.command === asking[1]);
      if (known) offers = [{ shown: [el('span', { class: 'offer-name' }, known.command), el('span', { class: 'offer-hint' }, known.hint)], take: () => fill(`${known.command} ${known.hint}`) }];
    } else if (person) {
      const start = person[1].toLowerCase();
      offers = options.people().filter((user) => user.name.startsWith(start)).slice(0, 6).map((user) => ({
        shown: [avatar(user, 'small'), el('span', { class: 'offer-name' }, user.name), el('span', { class: 'offer-about' }, user.real_name)],
        take: () => fill(`${before.slice(0, before.length - person[1].length)}${user.name} ${area.value.slice(area.selectionStart)}`),
      }));
    }
    chosen = 0;
    draw();
  }

  function draw() {
    menu.hidden = offers.length === 0;
    menu.replaceChildren(...offers.map((item, index) => el('div', {
      class: index === chosen ? 'offer chosen' : 'offer', role: 'option', 'aria-selected': String(index === chosen),
      onmousedown: (event) => { event.preventDefault(); item.take(); },
    }, item.shown)), el('div', { class: 'offers-foot' }, el('b', {}, 'Tab'), ' to take it'));
  }

  function fill(text) {
    area.value = text;
    area.focus();
    area.setSelectionRange(text.length, text.length);
    fit();
    offer();
  }

  area.addEventListener('input', () => { fit(); offer(); });
  area.addEventListener('blur', () => { menu.hidden = true; });
  area.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const partial = offers.length && /^\/\S*$/.test(area.value) && !options.commands().some((item) => item.command === area.value);
    if (event.key === 'Tab' && !menu.hidden && !event.shiftKey) {
      event.preventDefault();
      offers[chosen].take();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (!menu.hidden && partial) offers[chosen].take();
      else submit();
    } else if (event.key === 'Escape' && !menu.hidden) {
      event.stopPropagation();
      menu.hidden = true;
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !menu.hidden && offers.length > 1) {
      event.preventDefault();
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : offers.length - 1)) % offers.length;
      draw();
    } else if (event.key === 'ArrowUp' && history.length && (area.value === '' || area.value === history[recalled])) {
      event.preventDefault();
      recalled = Math.max(0, Math.min(recalled, history.length) - 1);
      fill(history[recalled]);
    }
  });

  return { element: made, focus: () => area.focus(), fill };
}
