import { h, type ViewNode } from '../view-node.ts'

/** Text of the program's own, in which backticks enclose what is typed or written as it stands. */
export function prose(text: string): readonly ViewNode[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? h('code', {}, part) : part))
}
