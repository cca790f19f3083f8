// Modals of the app, and the little question before a dangerous button.

import { blocks, text } from './blocks.js';
import { el, icon } from './dom.js';
import { values } from './fields.js';

/** Show the topmost view in the dialog, or close the dialog. `view` is null when none is open. */
export function showModal(dialog, view, page) {
  if (!view) {
    if (dialog.open) dialog.close();
    delete dialog.dataset.view;
    return;
  }
  const context = { names: page.names, confirm: page.confirm, act: (block, item, chosen) => page.actInView(view, item, chosen), suggest: (item, typed) => page.suggest(view, item, typed) };
  const plain = (found, otherwise) => (found ? text(found, context) : otherwise);
  const problem = el('div', { class: 'field-problem', role: 'alert' });
  const form = el('form', { method: 'dialog', novalidate: true },
    el('header', { class: 'modal-head' }, el('h2', {}, plain(view.title, 'Modal')),
      el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => page.closeView(view, true) }, icon('close'))),
    el('div', { class: 'modal-body' }, blocks(view.blocks, context), problem),
    el('footer', { class: 'modal-foot' },
      el('button', { type: 'button', class: 'button', onclick: () => page.closeView(view, false) }, plain(view.close, 'Close')),
      view.submit ? el('button', { type: 'submit', class: 'button button-primary' }, plain(view.submit, 'Submit')) : null));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const missing = view.blocks.find((block) => block.type === 'input' && !block.optional && !values(form)[block.block_id]);
    const errors = missing ? { [missing.block_id]: 'Please complete this required field.' } : await page.submitView(view, values(form));
    for (const place of form.querySelectorAll('.field-problem')) place.textContent = '';
    for (const [block, words] of Object.entries(errors ?? {})) {
      const place = [...form.querySelectorAll('[data-problem-of]')].find((found) => found.dataset.problemOf === block) ?? problem;
      place.textContent = words;
    }
  });
  dialog.replaceChildren(form);
  dialog.setAttribute('aria-label', view.title?.text ?? 'Modal');
  dialog.dataset.view = view.id;
  dialog.oncancel = (event) => { event.preventDefault(); page.closeView(view, false); };
  if (!dialog.open) dialog.showModal();
  form.querySelector('.modal-body input, .modal-body textarea, .modal-body select')?.focus();
}

/** Ask the question of a `confirm` object; resolves with the answer. */
export function confirmation(found, names) {
  const context = { names };
  return new Promise((settle) => {
    const dialog = el('dialog', { class: 'modal small', 'aria-label': found.title?.text ?? 'Are you sure?' },
      el('header', { class: 'modal-head' }, el('h2', {}, found.title ? text(found.title, context) : 'Are you sure?')),
      el('div', { class: 'modal-body mrkdwn' }, text(found.text, context)),
      el('footer', { class: 'modal-foot' },
        el('button', { type: 'button', class: 'button', onclick: () => answer(false) }, found.deny ? text(found.deny, context) : 'Cancel'),
        el('button', { type: 'button', class: `button button-${found.style === 'danger' ? 'danger' : 'primary'}`, onclick: () => answer(true) }, found.confirm ? text(found.confirm, context) : 'Yes')));
    const answer = (given) => { dialog.close(); dialog.remove(); settle(given); };
    dialog.addEventListener('cancel', (event) => { event.preventDefault(); answer(false); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
