/** A reader without a pointer is put at the heading of the page that was opened, as soon as it is there. */
let awaited = false;

/** Another page was opened: its heading takes the focus when it comes. */
export function awaitHeading(): void {
  awaited = true;
}

/** For the `h1` of a page. */
export function heading(element: HTMLElement): void {
  if (!awaited) return;
  awaited = false;
  element.focus({ preventScroll: true });
}
