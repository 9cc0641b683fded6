import { AWS_VARIABLE_GROUPS } from '../../component/config/aws-environment.ts'
import { NUCLEUS_VARIABLES, type Parameter, PARAMETERS } from '../../component/config/parameters.ts'
import type { DefaultValue } from '../recipe-check.ts'
import { code, notice, page, table } from './markdown.ts'

/** Parameters that the recipe uses itself; their defaults are in recipe.yaml. */
export const RECIPE_PARAMETERS = {
  startupTimeoutSeconds:
    'Seconds after which a start counts as failed, for the classic nucleus; nucleus lite always waits for 120, as it takes no ' +
    'parameter there',
  nodePath: 'Node.js that runs the server: `node` is that of the package, if it has one, else that of the PATH'
} as const

const textOf = (value: DefaultValue = ''): string => (typeof value === 'string' ? value : JSON.stringify(value))

const EXAMPLE = `{
  "MERGE": {
    "LOG_LEVEL": "DEBUG",
    "STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH": "2000",
    "STREAM_MANAGER_SETTINGS": { "STREAM_MANAGER_LOG_FORMAT": "json" }
  }
}`

/** A list, a truth value, a number, a text: as an operator writes it. */
function defaultText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(':') : String(value)
  return text === '' ? '' : code(text)
}

function parameterRow({ name, type, whenUnset, unit, meaning, since }: Parameter<unknown>): string[] {
  return [code(name), defaultText(whenUnset), type.allowed, unit ?? '', `${meaning}.`, since]
}

/** docs/configuration.md. @param recipeDefaults the DefaultConfiguration of the recipe */
export function configurationPage(recipeDefaults: Readonly<Record<string, DefaultValue>>): string {
  const all: readonly Parameter<unknown>[] = Object.values(PARAMETERS)
  const fatal = all.filter(({ whenBad }) => whenBad === 'fatal').map(({ name }) => code(name))
  const grouped = all.filter(({ isGrouped }) => isGrouped === true).map(({ name }) => code(name))
  const local = all
    .filter(({ recipeDefault, name }) => recipeDefault === undefined && name !== PARAMETERS.settings.name)
    .map(({ name }) => code(name))
  return page(
    '# Configuration',
    notice('component/config/'),
    'A setting is a parameter of the component, and an environment variable of the same name: the recipe hands every ' +
      'parameter on. Stand-alone, set the variable. A change takes effect when the component is restarted, which a ' +
      'deployment from the cloud does.',
    'A value may be text, a number or a truth value; blanks around it are ignored, and one that is empty, or `null`, counts as not set. ' +
      `A value that is not allowed is reported with a warning and replaced by the default, but for ${fatal.join(', ')}: ` +
      'with these the server does not start. `since` is a version of the component of this name; those before 2.4.0 are ' +
      "AWS's own.",
    '## Settings',
    table(['name', 'default', 'allowed', 'unit', 'meaning', 'since'], all.map(parameterRow)),
    `${grouped.join(', ')} stand as entries in ${code(PARAMETERS.settings.name)}, as any other setting may. ` +
      `${local.join(' and ')} are not parameters of the recipe: set them as environment variables, or there.`,
    '## Settings of the recipe',
    table(
      ['name', 'default', 'meaning'],
      Object.entries(RECIPE_PARAMETERS).map(([name, meaning]) => [
        code(name),
        code(textOf(recipeDefaults[name])),
        `${meaning}.`
      ])
    ),
    'The component publishes the port that it listens on as `port` in its own configuration, where other components can ' +
      'read it; do not set it.',
    'In a deployment:',
    ['```json', EXAMPLE, '```'].join('\n'),
    '## Access to the cloud',
    'The nucleus sets what is needed. Stand-alone these are the variables of every AWS tool:',
    table(
      ['variables', 'meaning'],
      AWS_VARIABLE_GROUPS.map(({ names, meaning }) => [names.map(code).join(', '), `${meaning}.`])
    ),
    '## Other variables',
    table(
      ['variables', 'meaning'],
      [
        [
          Object.values(NUCLEUS_VARIABLES).map(code).join(', '),
          "The component's own token and the socket of the nucleus, which sets them. Without both there is no nucleus."
        ],
        [
          code('UV_THREADPOOL_SIZE'),
          'A setting of Node.js: threads for file work, 4 when not set. The component and `./scripts/start` set `8`, so that ' +
            'syncs leave threads for reads.'
        ]
      ]
    )
  )
}
