/** Text cut into pieces that are evidence and pieces that are not: drawn as text, never as HTML. */
import type { Evidence, Line } from './wire';

export interface Piece {
  text: string;
  marked: boolean;
}

export function markPieces(text: string, wanted: readonly string[]): Piece[] {
  const marked = new Array<boolean>(text.length).fill(false);
  for (const part of wanted) {
    if (part === '') continue;
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
      marked.fill(true, at, at + part.length);
    }
  }
  const pieces: Piece[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = pieces[pieces.length - 1];
    const on = marked[at] ?? false;
    if (last && last.marked === on) last.text += text[at];
    else pieces.push({ text: text[at] ?? '', marked: on });
  }
  return pieces;
}

/** The line in which evidence was said, when it is among `lines` and holds the very words. */
export function lineOf(evidence: Evidence, lines: readonly Line[]): Line | undefined {
  return lines.find(
    (line) =>
      line.channel === evidence.channel &&
      line.start < evidence.end + 0.5 &&
      evidence.start < line.end + 0.5 &&
      line.text.includes(evidence.text),
  );
}

/** Texts of the evidence that lies in a line. */
export function evidenceIn(line: Pick<Line, 'channel' | 'start' | 'end' | 'text'>, all: readonly Evidence[]): string[] {
  return all
    .filter((e) => e.channel === line.channel && e.start < line.end + 0.5 && line.start < e.end + 0.5)
    .map((e) => e.text)
    .filter((text) => line.text.includes(text));
}
