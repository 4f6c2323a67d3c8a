/** Names to show for seats: ids of guests are not for reading. */
import type { Seat } from '../protocol/index.ts';
import type { SeatInfo } from './source/source.ts';

const FIRST =
  `Amber Brisk Cosmic Dusty Eager Frosty Gentle Hasty Ivory Jolly Keen Lucky Mellow Nimble
  Olive Plucky Quiet Rusty Sandy Tidal Umber Velvet Witty Zesty`.split(/\s+/);
const SECOND =
  `Badger Comet Dingo Ember Falcon Gecko Heron Ibis Jackal Kestrel Lynx Marten Newt Otter
  Puffin Quokka Raven Stoat Tapir Urchin Vole Walrus Yak Zebu`.split(/\s+/);
const BOTS = ['Pip', 'Moss', 'Juno', 'Rook', 'Wren', 'Flint', 'Opal', 'Basil'];

/** Longer names would not fit a row on a phone. */
const NAME_MAX = 16;

/** The same name for the same player everywhere; a guest's is made of its id. */
export function playerName(player: string): string {
  if (!player.startsWith('guest-')) {
    return player.length > NAME_MAX ? `${player.slice(0, NAME_MAX - 1)}…` : player;
  }
  let hash = 7;
  for (let i = 0; i < player.length; i++) hash = (Math.imul(hash, 31) + player.charCodeAt(i)) >>> 0;
  return `${FIRST[hash % FIRST.length]} ${SECOND[(hash >>> 8) % SECOND.length]}`;
}

export function botName(slot: number): string {
  return BOTS[slot % BOTS.length] ?? 'Bot';
}

/** @param own whether it is the seat of this page's player */
export function seatInfo({ player, bot }: Seat, slot: number, own: boolean): SeatInfo {
  if (player === undefined) {
    return bot === undefined ? { name: 'Nobody' } : { name: botName(slot), bot };
  }
  const name = own ? 'You' : playerName(player);
  return bot === undefined ? { name } : { name, bot, away: true };
}

/** 1st, 2nd, 3rd, 4th: for up to eight discs. */
export function ordinal(place: number): string {
  return `${place}${['th', 'st', 'nd', 'rd'][place] ?? 'th'}`;
}

/** m:ss of a number of ticks. */
export function clockOf(ticks: number, tickRate: number): string {
  const seconds = Math.max(0, Math.floor(ticks / tickRate));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
