export {
  jsonOf,
  parametersOf,
  REFUSAL,
  refusalBody,
  refusals,
  schemaOf,
  type Document,
  type Method,
  type Operation,
} from './document.ts';
export { matchInFull, matchList } from './matches.ts';
export { jobStatus, playersDocument } from './players.ts';
