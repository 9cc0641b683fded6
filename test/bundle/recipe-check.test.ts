import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { checkRecipe, type Expected, type Recipe } from '../../scripts/recipe-check.ts'
import { servedParts } from '../../scripts/recipe-size.ts'

const RECIPE = readFileSync(join(import.meta.dirname, '..', '..', 'recipe.yaml'), 'utf8')
const EXPECTED: Expected = {
  name: 'aws.greengrass.StreamManager',
  version: /^ComponentVersion: '(.*)'$/m.exec(RECIPE)![1]!,
  author: 'Edge Stream Manager',
  files: new Set([
    'launch.sh',
    'stream-manager',
    'stream-manager.cjs',
    ...['x64', 'arm64', 'arm'].map((arch) => `lmdb-linux-${arch}.node`),
    ...['x64', 'arm64'].map((arch) => `aws-crt-linux-${arch}.node`)
  ])
}

const without = (file: string): Expected => ({
  ...EXPECTED,
  files: new Set([...EXPECTED.files].filter((name) => name !== file))
})

describe('the check of the recipe', () => {
  it('finds nothing wrong with ours', () => {
    assert.deepEqual(checkRecipe(RECIPE, EXPECTED), [])
  })

  it('tells what does not agree with the build', () => {
    assert.deepEqual(checkRecipe(RECIPE, { ...EXPECTED, version: '2.99.0' }), [
      `ComponentVersion is ${EXPECTED.version}, but gdk-config.json says 2.99.0`
    ])
    assert.deepEqual(checkRecipe(RECIPE, { ...EXPECTED, author: 'Nobody' }), [
      'ComponentPublisher is Edge Stream Manager, but gdk-config.json says Nobody'
    ])
    assert.deepEqual(checkRecipe(RECIPE, without('lmdb-linux-arm64.node')), [
      'Manifests[1].Artifacts names lmdb-linux-arm64.node, which was not built'
    ])
    assert.deepEqual(checkRecipe(RECIPE, { ...EXPECTED, files: new Set([...EXPECTED.files, 'more.txt']) }), [
      'no manifest names the artifact more.txt'
    ])
  })

  /** What is put into the place of what, everywhere; and what the check then says, at least once. */
  const mistakes: readonly [what: string, pattern: RegExp, replacement: string, sentence: RegExp][] = [
    [
      'an artifact key that lite does not know',
      /- Uri:/g,
      '- URI:',
      /^Manifests\[0\]\.Artifacts\[0\]\.URI must be spelled Uri$/
    ],
    ['a step in capitals', / startup:/, ' Startup:', /^Lifecycle\.all\.Startup must be spelled startup$/],
    [
      'a step that lite ignores',
      / install: exec/,
      ' shutdown: exec',
      /^Lifecycle\.all\.shutdown is no key that both nuclei understand$/
    ],
    ['a missing runtime', / {6}runtime: '\*'\n/, '', /^Manifests\[0\]\.Platform\.runtime is missing$/],
    ['another runtime', /runtime: '\*'/, "runtime: 'aws_nucleus_lite'", /runtime must be "\*"/],
    [
      'an unknown architecture',
      /architecture: aarch64/,
      'architecture: arm64',
      /^Manifests\[1\]\.Platform\.architecture is arm64/
    ],
    [
      'one architecture twice',
      /architecture: aarch64/,
      'architecture: amd64',
      /^two manifests are for the same architecture$/
    ],
    [
      'an addon of another architecture',
      /lmdb-linux-x64\.node/,
      'lmdb-linux-arm.node',
      /^Manifests\[0\]\.Artifacts is for amd64, but names lmdb-linux-arm\.node$/
    ],
    [
      'a manifest without its addon',
      / *- Uri: \S*lmdb-linux-x64\.node\n/,
      '',
      /^Manifests\[0\]\.Artifacts lacks lmdb-linux-x64\.node$/
    ],
    ['a file named twice', /aws-crt-linux-x64\.node/, 'launch.sh', /^Manifests\[0\]\.Artifacts has launch\.sh twice$/],
    [
      'a shell variable in braces',
      /exec sh "\{artifacts:path\}\/launch\.sh" run/g,
      'exec sh "${HOME}/launch.sh" run',
      /startup\.Script has \{HOME\}, which is no recipe variable/
    ],
    [
      'a brace alone',
      /launch\.sh" run/g,
      'launch.sh" run "{"',
      /has a brace that does not belong|is no recipe variable/
    ],
    [
      'a parameter that is not there',
      /run "\{configuration:\/nodePath\}"/g,
      'run "{configuration:/nodepath}"',
      /\{configuration:\/nodepath\}, which is no recipe variable, or names no parameter$/
    ],
    [
      'a variable without quotes',
      /run "(\{configuration:\/nodePath\})"/g,
      'run $1',
      /has a recipe variable outside of double quotes$/
    ],
    [
      'a script with a syntax error',
      /exec sh "\{artifacts:path\}\/launch\.sh" run/g,
      'if exec sh "{artifacts:path}/launch.sh" run',
      /startup\.Script is no shell script: /
    ],
    [
      'a timeout of words',
      /timeout: '.*'/g,
      "timeout: 'two minutes'",
      /the timeout "two minutes" is neither a number nor one parameter$/
    ],
    [
      'a timeout that lite cannot read',
      / timeout: /g,
      ' Timeout: ',
      /the Timeout "\{configuration:\/startupTimeoutSeconds\}" is not a number, as nucleus lite wants it$/
    ],
    [
      'a recipe of too many parts for lite',
      / {4}startupTimeoutSeconds/,
      `${Array.from({ length: 30 }, (_, index) => `    P${index}: ''\n`).join('')}    startupTimeoutSeconds`,
      /^it has 257 keys, values and items, and nucleus lite reads at most 255$/
    ],
    [
      'a number without quotes',
      /SERVER_PORT: '8088'/,
      'SERVER_PORT: 8088',
      /DefaultConfiguration\.STREAM_MANAGER_SERVER_PORT must be text/
    ],
    [
      'a range that is none',
      />=2\.0\.0 <3\.0\.0/,
      '2.x',
      /^ComponentDependencies\.aws\.greengrass\.Nucleus: "2\.x" is no version range$/
    ],
    [
      'a dependency type in small letters',
      /DependencyType: HARD/,
      'DependencyType: hard',
      /TokenExchangeService\.DependencyType must be HARD or SOFT/
    ],
    ['a missing publisher', /ComponentPublisher: .*\n/, '', /^ComponentPublisher is missing$/],
    ['the same key twice', /LOG_LEVEL: 'INFO'/, "JVM_ARGS: 'INFO'", /^it is no YAML: /],
    [
      'a recipe too large for lite',
      /ComponentDescription: .*/,
      `ComponentDescription: ${'x'.repeat(3000)}`,
      /^it has \d+ bytes as the service hands it out, and nucleus lite reads at most 8196$/
    ]
  ]
  for (const [what, pattern, replacement, sentence] of mistakes) {
    it(`tells ${what}`, () => {
      const changed = RECIPE.replace(pattern, replacement)
      assert.notEqual(changed, RECIPE)
      const told = checkRecipe(changed, EXPECTED)
      assert.ok(
        told.some((line) => sentence.test(line)),
        JSON.stringify(told)
      )
    })
  }

  it('reckons with all that the service adds to the recipe, in a bucket with the longest name', () => {
    // Places, digests and defaults of fourteen artifacts, without the keys.
    const added = 14 * (63 + 28 + 6 + 44 + 'SHA-256'.length + 'NONE'.length + 'OWNER'.length + 'NONE'.length)
    const long = 'x'.repeat(8_196 - JSON.stringify(parse(RECIPE)).length - added)
    const told = checkRecipe(RECIPE.replace(/ComponentDescription: .*/, `ComponentDescription: ${long}`), EXPECTED)
    assert.match(told.join(), /^it has \d+ bytes as the service hands it out/)
  })

  it('counts the parts of the recipe as nucleus lite does, with all that the service adds', () => {
    // Each artifact gets four entries, one of which has two of its own; each manifest gets an empty lifecycle.
    assert.equal(servedParts(parse(RECIPE) as Recipe), 197 + 14 * (4 + 2) * 2 + 3 * 2)
  })

  it('tells an alias', () => {
    const changed = RECIPE.replace("JVM_ARGS: ''", "JVM_ARGS: &empty ''\n    more: *empty")
    assert.deepEqual(checkRecipe(changed, EXPECTED), ['it has a YAML alias, which nucleus lite does not resolve'])
  })
})
