import ts from 'typescript'

/*
 * What can be told of an expression from the text of its file alone: constants of the same file are followed, whatever
 * else varies becomes a word in angle brackets.
 */

/** @returns what a name of the file is set to by a `const`, wherever in the file that is */
export function constantsOf(file: ts.SourceFile): ReadonlyMap<string, ts.Expression> {
  const found = new Map<string, ts.Expression>()
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
      found.set(node.name.text, node.initializer)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** A word for something that varies: the last name in it. */
function wordFor(expression: ts.Expression): string {
  if (ts.isPropertyAccessExpression(expression)) return expression.name.text
  if (ts.isCallExpression(expression)) {
    const [argument] = expression.arguments
    if (argument !== undefined && !ts.isLiteralExpression(argument)) return wordFor(argument)
    return wordFor(
      ts.isPropertyAccessExpression(expression.expression) ? expression.expression.expression : expression.expression
    )
  }
  return expression
    .getText()
    .replaceAll(/[^\w]+/g, ' ')
    .trim()
}

/** All texts that an expression may have; undefined when that cannot be told. */
export function textsOf(
  expression: ts.Expression,
  constants: ReadonlyMap<string, ts.Expression>
): readonly string[] | undefined {
  if (ts.isStringLiteralLike(expression)) return [expression.text]
  if (ts.isTemplateExpression(expression)) {
    return expression.templateSpans.reduce<readonly string[]>(
      (texts, span) => {
        const known = ts.isIdentifier(span.expression) ? constants.get(span.expression.text) : undefined
        const middles = (known && textsOf(known, constants)) ?? [`<${wordFor(span.expression)}>`]
        return texts.flatMap((text) => middles.map((middle) => text + middle + span.literal.text))
      },
      [expression.head.text]
    )
  }
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textsOf(expression.left, constants), textsOf(expression.right, constants)]
    return left && right && left.flatMap((start) => right.map((end) => start + end))
  }
  if (ts.isConditionalExpression(expression)) {
    const [yes, no] = [textsOf(expression.whenTrue, constants), textsOf(expression.whenFalse, constants)]
    return yes && no && [...yes, ...no]
  }
  const constant = ts.isIdentifier(expression) ? constants.get(expression.text) : undefined
  return constant === undefined || constant === expression ? undefined : textsOf(constant, constants)
}

/** The members of an object as far as they can be told, also those of objects that are spread into it. */
export function memberNamesOf(
  expression: ts.Expression | undefined,
  constants: ReadonlyMap<string, ts.Expression>
): readonly string[] {
  if (expression === undefined) return []
  if (ts.isIdentifier(expression)) {
    const constant = constants.get(expression.text)
    return constant === undefined || constant === expression ? [] : memberNamesOf(constant, constants)
  }
  if (!ts.isObjectLiteralExpression(expression)) return []
  return expression.properties.flatMap((property) => {
    if (ts.isSpreadAssignment(property)) return memberNamesOf(property.expression, constants)
    return ts.isIdentifier(property.name) ? [property.name.text] : []
  })
}
