/** The language of the screen: Chinese unless the reader chose otherwise. */
import { en } from '../text/en';
import { zh, type Text } from '../text/zh';
import { recall, remember } from './memory';
import type { Both } from './wire';

export type Language = 'zh' | 'en';

class Words {
  language = $state<Language>(recall('language') === 'en' ? 'en' : 'zh');

  get text(): Text {
    return this.language === 'zh' ? zh : en;
  }

  switch(): void {
    this.language = this.language === 'zh' ? 'en' : 'zh';
    remember('language', this.language);
  }

  /** A text that the server gives in both languages; some packs title their rules in one only. */
  pick(text: Both | string | null | undefined): string {
    if (text === null || text === undefined) return '';
    if (typeof text === 'string') return text;
    return text[this.language] || text.zh || text.en || '';
  }
}

export const words = new Words();
