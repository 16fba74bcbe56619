// How the widget looks, as text: for each kind of element what the style sheets decide, and nothing that depends on the fonts of a
// machine. What is recorded beside the gallery's pictures is compared, so that no look changes unseen: who changes one records it
// anew with `KEEP_SCREENSHOTS` and looks at the pictures.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';

type Looks = Record<string, string[]>;

/** Each kind of element in sight, by tag, classes and state, with its look. */
const inSight = (page: Page): Promise<[string, string][]> =>
  page.locator('cupo-booking').evaluate((widget) => {
    const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })!;
    const colors: Record<string, string> = {};
    const rgb = (color: string) => {
      if (colors[color]) return colors[color];
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      return (colors[color] = alpha === 0 ? 'none' : [red, green, blue].join(' '));
    };
    return [...widget.shadowRoot!.querySelectorAll<HTMLElement>('.card, .card *:not(svg, svg *, option, ul#zones *)')].map((element) => {
      const states = ['aria-selected', 'aria-disabled', 'aria-invalid', 'aria-current', 'data-view', 'data-press', 'type'].filter((name) => element.hasAttribute(name));
      const kind = [element.localName, ...[...element.classList].map((name) => `.${name}`), ...states.map((name) => `[${name}=${element.getAttribute(name)}]`), element.matches(':checked') ? ':checked' : ''].join('');
      const style = getComputedStyle(element);
      const border = style.borderTopStyle === 'none' ? 'none' : `${style.borderTopWidth} ${rgb(style.borderTopColor)}`;
      const look = {
        text: `${style.fontSize} ${style.fontWeight} ${style.lineHeight} ${rgb(style.color)}`,
        ground: rgb(style.backgroundColor),
        border: `${border} round ${style.borderTopLeftRadius}`,
        room: `${style.padding} | ${style.marginTop} ${style.marginBottom} | ${style.gap}`,
        box: `${style.display} ${style.position} least ${style.minHeight}`,
      };
      return [kind, Object.entries(look).map(([name, value]) => `${name} ${value}`).join('; ')];
    });
  });

/** Collects what is seen in one run of states, and compares it with what is recorded under a name. */
export class Seen {
  private readonly looks = new Map<string, Set<string>>();

  async add(page: Page) {
    for (const [kind, look] of await inSight(page)) this.looks.set(kind, (this.looks.get(kind) ?? new Set()).add(look));
  }

  expectAsRecorded(folder: string, name: string) {
    const file = join(folder, `${name}.json`);
    const looks: Looks = Object.fromEntries([...this.looks].sort(([one], [other]) => (one < other ? -1 : 1)).map(([kind, all]) => [kind, [...all].sort()]));
    if (process.env.KEEP_SCREENSHOTS) writeFileSync(file, `${JSON.stringify(looks, undefined, 1)}\n`);
    expect(existsSync(file), `${file} is recorded`).toBe(true);
    expect(looks, `${name} looks as recorded`).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  }
}
