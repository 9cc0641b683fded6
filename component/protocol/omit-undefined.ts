/** The type of an object without its undefined properties. */
export type OmitUndefined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K]
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** A copy of `value` without the properties that are undefined: absent keys are left out everywhere (protocol 2.2). */
export function omitUndefined<T extends object>(value: T): OmitUndefined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, property]) => property !== undefined)) as OmitUndefined<T>
}
