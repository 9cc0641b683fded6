import type { StreamDefinition } from '../../model/stream-definition.ts'
import { CLIENT_DEFINITION_RULES, readDefinition, type DefinitionRules } from '../definition-fields.ts'
import { definitionProblems } from '../definition-policy.ts'
import type { Fields } from '../fields.ts'
import { parseRequest, type ParsedRequest } from './request.ts'

/** CreateMessageStream, operation 2, or UpdateMessageStream, operation 15: both send the whole definition (protocol 5.1). */
export interface DefinitionRequest {
  /** With the defaults filled in. */
  readonly definition: StreamDefinition
}

/** @param rules other than the clients' own only for tests and tuning at the edge (behaviour 5.2) */
export function parseCreateMessageStream(
  payload: Buffer,
  rules: DefinitionRules = CLIENT_DEFINITION_RULES
): ParsedRequest<DefinitionRequest> {
  return parseRequest(payload, (fields) => readRequest(fields, rules))
}

/** What an update may change is decided by the stream; the map is that of a create (behaviour 3.7). */
export const parseUpdateMessageStream = parseCreateMessageStream

function readRequest(fields: Fields, rules: DefinitionRules): DefinitionRequest | undefined {
  const definition = fields.requiredObject('definition', (nested) => readDefinition(nested, rules))
  if (definition === undefined) return undefined
  // Only a definition without problems of its own is complete enough to be judged as a whole.
  if (fields.problems.length === 0) fields.problems.push(...definitionProblems(definition))
  return { definition }
}
