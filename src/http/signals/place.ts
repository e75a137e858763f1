/** The cursor of pages of signals, as text: `<received at>.<id>`. */
import { z } from 'zod';
import { isId } from '../../domain/id.js';
import type { SignalPlace } from '../../signals/list.js';

export const placeText = ([receivedAt, id]: SignalPlace): string => `${receivedAt}.${id}`;

export const place = z
  .string()
  .regex(/^\d{1,15}\.(sig_[a-z2-7]{16})?$/, 'must be the `next` of a page')
  .transform((text): SignalPlace => {
    const [receivedAt = '', id = ''] = text.split('.');
    return [Number(receivedAt), isId('sig', id) ? id : ''];
  });
