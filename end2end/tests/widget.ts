// What a visitor does in the widget, by role and label as a person would.

import { expect, type FrameLocator, type Locator, type Page } from '@playwright/test';

/** Where a widget is: the page, or an element of it. */
type Place = Page | Locator | FrameLocator;

export const freeDays = (place: Place) => place.locator('button[data-day]:not([aria-disabled="true"])');
export const slots = (place: Place) => place.locator('button[data-start]');

/** Opens the first free day and answers the starts that it offers. */
export async function openFreeDay(place: Place): Promise<string[]> {
  const nextMonth = place.getByRole('button', { name: /next month|mes siguiente|الشهر التالي/i });
  await expect(place.locator('button[data-day]').first()).toBeVisible();
  await expect(freeDays(place).first().or(place.getByRole('button', { name: /next free time|próxima|أقرب وقت/i })).first()).toBeVisible();
  if ((await freeDays(place).count()) === 0) {
    await nextMonth.click();
  }
  await freeDays(place).first().click();
  await expect(slots(place).first()).toBeVisible();
  return starts(place);
}

/** Opens a free day of which no hour has passed: the last one in sight, or of the month after. */
export async function openWholeDay(place: Place): Promise<string[]> {
  await openFreeDay(place);
  if ((await freeDays(place).count()) < 2) {
    await place.getByRole('button', { name: /next month|mes siguiente|الشهر التالي/i }).click();
  }
  await expect(freeDays(place).nth(1)).toBeVisible();
  await freeDays(place).last().click();
  await expect(slots(place).first()).toBeVisible();
  return starts(place);
}

/** The starts that are on offer now, in RFC 3339. */
export async function starts(place: Place): Promise<string[]> {
  return slots(place).evaluateAll((buttons) => buttons.map((button) => button.getAttribute('data-start') ?? ''));
}

export async function fillDetails(place: Place, name: string, email: string) {
  await place.getByLabel(/^(name|nombre)/i).fill(name);
  await place.getByLabel(/^(e-mail|correo)/i).fill(email);
}

/** Books the given start, or the first that is offered, and answers it. */
export async function book(place: Place, name: string, email: string, start?: string): Promise<string> {
  const offered = await openFreeDay(place);
  return bookInSight(place, name, email, start ?? offered[0]);
}

/** Books a start of the day that is open. */
export async function bookInSight(place: Place, name: string, email: string, chosen: string): Promise<string> {
  await place.locator(`button[data-start="${chosen}"]`).click();
  await fillDetails(place, name, email);
  await place.getByRole('button', { name: /confirm booking|confirmar/i }).click();
  await expect(place.getByText(/your appointment is confirmed|tu cita está confirmada|cita confirmada/i)).toBeVisible();
  return chosen;
}

/** An instant to the minute, to compare instants that are written with different offsets. */
export const minute = (instant: string) => new Date(instant).toISOString().slice(0, 16);
