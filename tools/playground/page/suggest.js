// A menu whose options the app suggests while a person types.

import { el } from './dom.js';
import { emojify } from './emoji.js';

const PAUSE = 150;
const LEAST = 3;

/** Render an `external_select`: a box to type in, the suggestions below it, and the chosen value for the form. */
export function suggestingMenu(block, item, context) {
  const initial = item.initial_option ?? null;
  const kept = el('input', { type: 'hidden', name: block.block_id, 'data-action': item.action_id, value: initial?.value ?? '' });
  const menu = el('ul', { class: 'suggested', role: 'listbox', hidden: true });
  const box = el('input', {
    class: 'control', type: 'text', role: 'combobox', autocomplete: 'off', 'aria-expanded': 'false', 'data-suggests': item.action_id,
    placeholder: emojify(item.placeholder?.text ?? 'Type to search'), value: initial ? emojify(initial.text.text) : null,
  });
  let offered = [];
  let chosen = 0;
  let waiting = 0;

  const show = (shown) => { menu.hidden = !shown; box.setAttribute('aria-expanded', String(shown)); };
  const take = (option) => {
    kept.value = option.value;
    box.value = emojify(option.text.text);
    show(false);
    context.onChoose?.(option.value, box);
  };
  const draw = () => {
    menu.replaceChildren(...offered.map((option, index) => el('li', {
      role: 'option', class: index === chosen ? 'chosen' : '', 'aria-selected': String(index === chosen),
      onmousedown: (event) => { event.preventDefault(); take(option); },
    }, emojify(option.text.text), option.description ? el('small', {}, emojify(option.description.text)) : null)));
    show(offered.length > 0);
  };
  box.addEventListener('input', () => {
    kept.value = '';
    window.clearTimeout(waiting);
    if (box.value.length < (item.min_query_length ?? LEAST)) { show(false); return; }
    const typed = box.value;
    waiting = window.setTimeout(async () => {
      const found = await context.suggest(item, typed);
      if (typed !== box.value) return;
      offered = found;
      chosen = 0;
      draw();
    }, PAUSE);
  });
  box.addEventListener('blur', () => show(false));
  box.addEventListener('keydown', (event) => {
    if (menu.hidden) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : offered.length - 1)) % offered.length;
      draw();
    } else if (event.key === 'Enter') take(offered[chosen]);
    else if (event.key === 'Escape') show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return el('span', { class: 'suggesting' }, box, kept, menu);
}
