/** Keys of an object that it need not have. */
type OptionalKey<Value> = { [Key in keyof Value]-?: undefined extends Value[Key] ? Key : never }[keyof Value]

/** A copy without an optional key: what is absent has its default. */
export function without<Value extends object>(value: Value, key: OptionalKey<Value>): Value {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)) as Value
}
