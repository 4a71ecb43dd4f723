/**
 * The last branch of every exhaustive switch: it compiles only while no case is missing.
 * At run time it is met by data newer than this program, hence the message.
 */
export function never(value: never): never {
  throw new Error(`a branch is missing for ${JSON.stringify(value)}`);
}
