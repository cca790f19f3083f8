// Form controls: in modals they keep a value until the form is submitted, elsewhere they act at once.

import { el } from './dom.js';
import { emojify } from './emoji.js';
import { suggestingMenu } from './suggest.js';

const list = (value) => (Array.isArray(value) ? value : []);
const words = (found) => emojify(found?.text ?? '');

const TEXT_KINDS = { plain_text_input: 'text', url_text_input: 'url', email_text_input: 'email', number_input: 'number', rich_text_input: 'text' };
const PICKER_KINDS = { datepicker: 'date', timepicker: 'time', datetimepicker: 'datetime-local' };

/** Render an input or menu element. `context.onChoose(value, control)` is called on a choice outside forms. */
export function field(block, item, context) {
  const shared = { name: block.block_id, 'data-action': item.action_id };
  if (Object.hasOwn(TEXT_KINDS, item.type)) return textField(item, shared);
  if (Object.hasOwn(PICKER_KINDS, item.type)) {
    const initial = item.initial_date ?? item.initial_time ?? '';
    const control = el('input', { ...shared, type: PICKER_KINDS[item.type], value: initial, class: 'control', onchange: () => context.onChoose?.(control.value, control) });
    return control;
  }
  if (item.type === 'radio_buttons' || item.type === 'checkboxes') return choices(item, shared, context);
  if (item.type === 'external_select') return suggestingMenu(block, item, context);
  return menu(item, shared, context);
}

function textField(item, shared) {
  const options = { ...shared, class: 'control', placeholder: words(item.placeholder) || null, minlength: item.min_length, maxlength: item.max_length, autocomplete: 'off' };
  const control = item.multiline || item.type === 'rich_text_input' ? el('textarea', { ...options, rows: 4 }) : el('input', { ...options, type: TEXT_KINDS[item.type] });
  if (typeof item.initial_value === 'string') control.value = item.initial_value;
  return control;
}

function choices(item, shared, context) {
  const many = item.type === 'checkboxes';
  const initial = new Set(many ? list(item.initial_options).map((option) => option.value) : [item.initial_option?.value]);
  const box = el('span', { class: 'choices' });
  for (const option of list(item.options)) {
    const control = el('input', { ...shared, type: many ? 'checkbox' : 'radio', value: option.value, checked: initial.has(option.value) });
    control.addEventListener('change', () => {
      const chosen = [...box.querySelectorAll('input:checked')].map((found) => found.value).join(',');
      context.onChoose?.(chosen, box);
    });
    box.append(el('label', { class: 'choice' }, control, el('span', {}, words(option.text))));
  }
  return box;
}

function menu(item, shared, context) {
  const many = item.type.startsWith('multi_');
  const control = el('select', { ...shared, class: 'control', multiple: many, 'aria-label': words(item.placeholder) || 'Choose' });
  const initial = new Set(many ? list(item.initial_options).map((option) => option.value) : [item.initial_option?.value ?? item.initial_user ?? item.initial_channel]);
  const option = (value, label) => el('option', { value, selected: initial.has(value) }, label);
  if (!many) control.append(el('option', { value: '', disabled: true, selected: ![...initial].some(Boolean) }, words(item.placeholder) || 'Choose an option'));
  for (const [value, label] of context.names.choices(item.type)) control.append(option(value, label));
  for (const found of list(item.options)) control.append(option(found.value, words(found.text)));
  for (const group of list(item.option_groups)) {
    control.append(el('optgroup', { label: words(group.label) }, list(group.options).map((found) => option(found.value, words(found.text)))));
  }
  control.addEventListener('change', () => context.onChoose?.([...control.selectedOptions].map((found) => found.value).join(','), control));
  return control;
}

/** Collect the values of a form by block id; several choices are joined with commas. */
export function values(form) {
  const found = {};
  for (const control of form.querySelectorAll('[name]')) {
    if ((control.type === 'checkbox' || control.type === 'radio') && !control.checked) continue;
    const value = control.multiple ? [...control.selectedOptions].map((option) => option.value).join(',') : control.value;
    found[control.name] = found[control.name] ? `${found[control.name]},${value}` : value;
  }
  return found;
}
