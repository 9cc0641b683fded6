import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { describeConfig, parseConfig } from '../../../component/config/index.ts'

const WORK_FOLDER = '/greengrass/v2/work/aws.greengrass.StreamManager'
const NUCLEUS = { SVCUID: 'TOKEN', AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: '../../ipc.socket' }
const PART_SIZE = 'STREAM_MANAGER_EXPORTER_S3_DESTINATION_MULTIPART_UPLOAD_MIN_PART_SIZE_BYTES'

/** Parses as a component that the nucleus started. */
function parse(environment: Record<string, string>): ReturnType<typeof parseConfig> {
  return parseConfig({ ...NUCLEUS, ...environment }, WORK_FOLDER)
}

describe('the defaults', () => {
  it('are those of behaviour 1.3', () => {
    const { config, fatal, warnings, notes } = parse({})
    assert.deepEqual(config, {
      storeRoot: WORK_FOLDER,
      storeReserveBytes: undefined,
      port: 8088,
      authenticateClients: true,
      logLevel: 'INFO',
      logFormat: 'text',
      memoryTargetBytes: undefined,
      developerMode: false,
      monitorPort: undefined,
      monitorShowsMessages: false,
      space: { reclaimsExported: false, protectsUnexported: false, budgetBytes: undefined },
      declared: { text: '', file: undefined },
      exporter: {
        bandwidthBitsPerSecond: undefined,
        concurrencyMax: 5,
        s3PartBytesMin: 5_242_880,
        s3InputRoots: [],
        s3UsEast1Endpoint: 'regional',
        kinesisInterCallDelayMs: undefined,
        deadLetterStream: undefined
      },
      nucleus: { token: 'TOKEN', socketPath: '/greengrass/v2/ipc.socket' },
      aws: {}
    })
    assert.deepEqual([fatal, warnings, notes], [[], [], []])
  })

  for (const [how, text] of [
    ['empty', ''],
    ['blank', ' \t'],
    ['left unresolved by the nucleus', '{configuration:/STREAM_MANAGER_SERVER_PORT}'],
    ['null in a deployment, which the classic nucleus hands on as a word', 'null']
  ] as const) {
    it(`stand for values that are ${how}`, () => {
      const names = ['STREAM_MANAGER_SERVER_PORT', 'STREAM_MANAGER_STORE_ROOT_DIR', 'LOG_LEVEL', 'JVM_ARGS', PART_SIZE]
      assert.deepEqual(parse(Object.fromEntries(names.map((name) => [name, text]))), parse({}))
    })
  }
})

describe('values', () => {
  it('are trimmed and tolerate the notations of the cloud', () => {
    const { config, warnings, fatal } = parse({
      STREAM_MANAGER_SERVER_PORT: ' 9000.0 ',
      STREAM_MANAGER_AUTHENTICATE_CLIENT: 'False',
      LOG_LEVEL: 'debug',
      STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH: '1E4',
      STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE: '7',
      [PART_SIZE]: '1.048576E7',
      STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS: '0',
      STREAM_MANAGER_DEVELOPER_MODE: 'TRUE'
    })
    assert.equal(config.port, 9000)
    assert.equal(config.authenticateClients, false)
    assert.equal(config.logLevel, 'DEBUG')
    assert.equal(config.developerMode, true)
    assert.deepEqual(config.exporter, {
      bandwidthBitsPerSecond: 10_000_000,
      concurrencyMax: 7,
      s3PartBytesMin: 10_485_760,
      s3InputRoots: [],
      s3UsEast1Endpoint: 'regional',
      kinesisInterCallDelayMs: 0,
      deadLetterStream: undefined
    })
    assert.deepEqual([fatal, warnings], [[], []])
  })

  it('of port 0 mean any free port', () => {
    assert.equal(parse({ STREAM_MANAGER_SERVER_PORT: '0' }).config.port, 0)
  })

  it('of bandwidth 0 mean no limit', () => {
    assert.equal(
      parse({ STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH: '0' }).config.exporter.bandwidthBitsPerSecond,
      undefined
    )
  })

  it('of the monitor and of dead letters mean none unless they are set', () => {
    const { config, warnings } = parse({
      STREAM_MANAGER_MONITOR_PORT: '8089',
      STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM: 'Dead letters'
    })
    assert.deepEqual([config.monitorPort, config.exporter.deadLetterStream, warnings], [8089, 'Dead letters', []])
    const bad = parse({ STREAM_MANAGER_MONITOR_PORT: '65536', STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM: 'a/b' })
    assert.deepEqual([bad.config.monitorPort, bad.config.exporter.deadLetterStream], [undefined, undefined])
    assert.equal(bad.warnings.length, 2)
  })

  it('of the Kinesis delay count unless they repeat the default, which the recipe passes on', () => {
    const delayOf = (text: string): number | undefined =>
      parse({ STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS: text }).config.exporter.kinesisInterCallDelayMs
    assert.equal(delayOf('1000'), undefined)
    assert.equal(delayOf(' 1000.0 '), undefined)
    assert.equal(delayOf('1001'), 1001)
    assert.equal(delayOf('0'), 0)
  })

  it('of the pool size are taken from the alias, and from the proper name first', () => {
    const alias = { STREAM_MANAGER_THREAD_POOL_SIZE: '3' }
    assert.equal(parse(alias).config.exporter.concurrencyMax, 3)
    const both = { ...alias, STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE: '4' }
    assert.equal(parse(both).config.exporter.concurrencyMax, 4)
  })

  it('of v1 that have no meaning any more pass in silence', () => {
    const { fatal, warnings, notes } = parse({ STREAM_MANAGER_READ_ONLY_DIRS: '/data' })
    assert.deepEqual([fatal, warnings, notes], [[], [], []])
  })
})

describe('a bad value', () => {
  const cases: readonly [name: string, text: string, warning: RegExp][] = [
    ['LOG_LEVEL', 'LOUD', /^LOG_LEVEL is "LOUD" but must be one of TRACE, .*ERROR; using the default INFO$/],
    [
      'STREAM_MANAGER_AUTHENTICATE_CLIENT',
      'maybe',
      /CLIENT is "maybe" but must be true or false; using the default true$/
    ],
    [
      'STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH',
      '-1',
      /"-1" but must be a whole number from 0 to \d+; using the default 0$/
    ],
    ['STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE', '0', /"0" .* from 1 to 100; using the default 5$/],
    ['STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE', '2.5', /"2.5"/],
    ['STREAM_MANAGER_THREAD_POOL_SIZE', '0x10', /^STREAM_MANAGER_THREAD_POOL_SIZE is "0x10"/],
    ['STREAM_MANAGER_EXPORTER_KINESIS_INTER_CALL_DELAY_MS', '1s', /"1s" .*; using the default 1000$/],
    [PART_SIZE, '5 MB', /"5 MB" .*; using the default 5242880$/],
    [PART_SIZE, '1024', /is 1024, below the minimum of S3; raising it to 5242880$/],
    ['STREAM_MANAGER_DEVELOPER_MODE', '1', /"1" but must be true or false; using the default false$/]
  ]
  for (const [name, text, expected] of cases) {
    it(`${text} of ${name} costs one warning and the default`, () => {
      const { config, fatal, warnings } = parse({ [name]: text })
      assert.deepEqual(config, parse({}).config)
      assert.deepEqual(fatal, [])
      assert.equal(warnings.length, 1)
      assert.match(warnings[0]!, expected)
    })
  }

  it('is cut in the warning when it is long', () => {
    const [warning] = parse({ LOG_LEVEL: 'x'.repeat(10_000) }).warnings
    assert.ok(warning!.length < 200)
  })

  for (const text of ['http', '-1', '65536', '80.5', '1e99', '٨٠٨٨']) {
    it(`${text} of the port is fatal`, () => {
      const { fatal, warnings } = parse({ STREAM_MANAGER_SERVER_PORT: text })
      assert.deepEqual(warnings, [])
      assert.equal(fatal.length, 1)
      assert.match(fatal[0]!, /^STREAM_MANAGER_SERVER_PORT is ".*" but must be a whole number from 0 to 65535/)
    })
  }

  for (const text of ['/a\0b', `/${'a'.repeat(5000)}`]) {
    it(`of ${text.length} characters of the store root is fatal`, () => {
      assert.match(parse({ STREAM_MANAGER_STORE_ROOT_DIR: text }).fatal.join(), /^STREAM_MANAGER_STORE_ROOT_DIR/)
    })
  }
})

describe('the store root', () => {
  for (const [text, expected] of [
    ['.', WORK_FOLDER],
    ['/data/../streams/', '/streams'],
    ['sub', `${WORK_FOLDER}/sub`]
  ] as const) {
    it(`${text} is made absolute`, () => {
      assert.equal(parse({ STREAM_MANAGER_STORE_ROOT_DIR: text }).config.storeRoot, expected)
    })
  }
})

describe('JVM_ARGS', () => {
  it('give a memory target and the endpoint of S3, the last of each kind', () => {
    const { config, notes } = parse({
      JVM_ARGS: '-Xmx1g -Xmx576m  -Daws.s3UseUsEast1RegionalEndpoint=legacy'
    })
    assert.equal(config.memoryTargetBytes, 576 * 1024 * 1024)
    assert.equal(config.exporter.s3UsEast1Endpoint, 'legacy')
    assert.deepEqual(notes, [])
  })

  it('without a meaning here are noted once', () => {
    const { config, notes, warnings, fatal } = parse({ JVM_ARGS: '-Xms64m -Xmx0 -Xmx99999999999g -ea' })
    assert.equal(config.memoryTargetBytes, undefined)
    assert.deepEqual([warnings, fatal], [[], []])
    assert.equal(notes.length, 1)
    assert.match(notes[0]!, /"-Xms64m -Xmx0 -Xmx99999999999g -ea"/)
  })
})

describe('authentication without a nucleus', () => {
  it('is fatal, because nobody could validate tokens', () => {
    const { config, fatal } = parseConfig({}, WORK_FOLDER)
    assert.equal(config.authenticateClients, true)
    assert.equal(fatal.length, 1)
    assert.match(fatal[0]!, /no Greengrass nucleus/)
  })

  it('needs the token and the socket both', () => {
    for (const [name, value] of Object.entries(NUCLEUS)) {
      assert.equal(parseConfig({ [name]: value }, WORK_FOLDER).fatal.length, 1)
    }
  })

  it('can be switched off', () => {
    const { config, fatal, warnings } = parseConfig({ STREAM_MANAGER_AUTHENTICATE_CLIENT: 'false' }, WORK_FOLDER)
    assert.equal(config.authenticateClients, false)
    assert.deepEqual([fatal, warnings], [[], []])
  })

  it('is dropped with a warning in developer mode', () => {
    const { config, fatal, warnings } = parseConfig({ STREAM_MANAGER_DEVELOPER_MODE: 'true' }, WORK_FOLDER)
    assert.equal(config.authenticateClients, false)
    assert.deepEqual(fatal, [])
    assert.match(warnings.join(), /not authenticated/)
  })

  it('stays on in developer mode when there is a nucleus', () => {
    assert.equal(parse({ STREAM_MANAGER_DEVELOPER_MODE: 'true' }).config.authenticateClients, true)
  })
})

describe('secrets', () => {
  const secrets = {
    ...NUCLEUS,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'SECRET-1',
    AWS_SECRET_ACCESS_KEY: 'SECRET-2',
    AWS_SESSION_TOKEN: 'SECRET-3',
    HTTPS_PROXY: 'http://user:SECRET-4@proxy:3128'
  }

  it('are collected for cloud access, with nothing else of the environment', () => {
    const { aws } = parse({ ...secrets, AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: '', PATH: '/bin' }).config
    assert.deepEqual(aws, {
      AWS_REGION: 'eu-west-1',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'SECRET-1',
      AWS_SECRET_ACCESS_KEY: 'SECRET-2',
      AWS_SESSION_TOKEN: 'SECRET-3',
      HTTPS_PROXY: 'http://user:SECRET-4@proxy:3128'
    })
  })

  it('are not in the description for the log', () => {
    const text = JSON.stringify(describeConfig(parse(secrets).config))
    assert.doesNotMatch(text, /SECRET|TOKEN/)
    assert.match(text, /"port":8088/)
  })
})

it('any text of any parameter is either taken or complained about, and never throws', () => {
  const names = [
    'STREAM_MANAGER_SERVER_PORT',
    'STREAM_MANAGER_STORE_ROOT_DIR',
    'STREAM_MANAGER_AUTHENTICATE_CLIENT',
    'STREAM_MANAGER_EXPORTER_MAX_BANDWIDTH',
    'STREAM_MANAGER_EXPORTER_THREAD_POOL_SIZE',
    PART_SIZE,
    'LOG_LEVEL',
    'JVM_ARGS'
  ]
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String), fc.integer().map(String))
  fc.assert(
    fc.property(fc.constantFrom(...names), text, (name, value) => {
      const { config, warnings, fatal } = parse({ [name]: value })
      assert.ok(warnings.length + fatal.length <= 1)
      assert.ok(config.port >= 0 && config.port <= 65_535)
      assert.ok(config.exporter.concurrencyMax >= 1)
      assert.ok(config.exporter.s3PartBytesMin >= 5_242_880)
      assert.ok(config.storeRoot.startsWith('/'))
    })
  )
})

it('the path of the nucleus stays relative where the absolute one is too long for a socket', () => {
  const socketPathIn = (folder: string): string | undefined => parseConfig(NUCLEUS, folder).config.nucleus?.socketPath
  const ofLength = (bytes: number): string => `/${'x'.repeat(bytes - '//ipc.socket'.length)}`
  assert.equal(socketPathIn(`${ofLength(107)}/work/name`), `${ofLength(107)}/ipc.socket`)
  assert.equal(socketPathIn(`${ofLength(108)}/work/name`), '../../ipc.socket')
})

describe('the folders that S3 tasks may upload from', () => {
  const rootsOf = (text: string): unknown => {
    const { config, fatal } = parse({ STREAM_MANAGER_S3_INPUT_ROOTS: text })
    return fatal.length === 0 ? config.exporter.s3InputRoots : fatal
  }

  it('are absolute paths with colons between them', () => {
    assert.deepEqual(rootsOf('/data'), ['/data'])
    assert.deepEqual(rootsOf(' /data/:/var/log/../lib '), ['/data', '/var/lib'])
  })

  it('are not guessed: a list with a mistake keeps the server from starting', () => {
    for (const text of ['data', '/data:', '/data,/log:x', ':']) {
      assert.deepEqual(rootsOf(text), [
        `STREAM_MANAGER_S3_INPUT_ROOTS is "${text}" but must be absolute paths with colons between them`
      ])
    }
  })
})

it('the reserve of the store is a share of its file system unless one is asked for', () => {
  const reserve = (value?: string): number | undefined =>
    parse(value === undefined ? {} : { STREAM_MANAGER_STORE_RESERVE_BYTES: value }).config.storeReserveBytes
  assert.equal(reserve(), undefined)
  assert.equal(reserve('0'), undefined)
  assert.equal(reserve('1048576'), 1_048_576)
  assert.equal(reserve('much'), undefined)
})

describe('declared streams', () => {
  it('come as text, from a file, or both', () => {
    const text = '{"definitions":"","delete":""}'
    const { config } = parse({ STREAM_MANAGER_STREAMS: text, STREAM_MANAGER_STREAMS_FILE: 'streams.yaml' })
    assert.deepEqual(config.declared, { text, file: `${WORK_FOLDER}/streams.yaml` })
  })
})

describe('STREAM_MANAGER_SETTINGS', () => {
  const parseSettings = (settings: unknown, environment: Record<string, string> = {}): ReturnType<typeof parseConfig> =>
    parse({ STREAM_MANAGER_SETTINGS: JSON.stringify(settings), ...environment })

  it('has settings that a deployment hands over together', () => {
    const { config, warnings } = parseSettings({ STREAM_MANAGER_LOG_FORMAT: 'JSON', STREAM_MANAGER_SERVER_PORT: 9000 })
    assert.deepEqual([config.logFormat, config.port, warnings], ['json', 9000, []])
  })

  it('gives way to variables of their own', () => {
    const { config } = parseSettings({ STREAM_MANAGER_SERVER_PORT: '9000' }, { STREAM_MANAGER_SERVER_PORT: '9001' })
    assert.equal(config.port, 9001)
  })

  it('is ignored where it is nonsense, with a warning each', () => {
    const { config, warnings } = parseSettings({
      LOG_FORMAT: 'json',
      LOG_LEVEL: ['DEBUG'],
      STREAM_MANAGER_SETTINGS: '{}',
      STREAM_MANAGER_LOG_FORMAT: 'xml'
    })
    assert.equal(config.logLevel, 'INFO')
    assert.deepEqual(warnings, [
      'STREAM_MANAGER_SETTINGS has "LOG_FORMAT", which is no setting; ignoring it',
      'LOG_LEVEL in STREAM_MANAGER_SETTINGS must be a text, a number or a truth value; ignoring it',
      'STREAM_MANAGER_SETTINGS has "STREAM_MANAGER_SETTINGS", which is no setting; ignoring it',
      'STREAM_MANAGER_LOG_FORMAT is "xml" but must be one of text, json; using the default text'
    ])
  })

  for (const text of ['[]', '7', '{'])
    it(`that is ${text} is ignored with a warning`, () => {
      const { warnings } = parse({ STREAM_MANAGER_SETTINGS: text })
      assert.deepEqual(warnings, [`STREAM_MANAGER_SETTINGS is "${text}" but must be a JSON object; ignoring it`])
    })

  it('that the nucleus could not fill in counts as not set', () => {
    for (const text of ['{configuration:/STREAM_MANAGER_SETTINGS}', 'null', '{"LOG_LEVEL": null}'])
      assert.deepEqual(parse({ STREAM_MANAGER_SETTINGS: text }), parse({}))
  })
})

describe('a proxy', () => {
  it('that cannot be used is told, without the value, which may have a password', () => {
    for (const [environment, name] of [
      [{ HTTPS_PROXY: 'socks5://u:secret@proxy:1' }, 'HTTPS_PROXY'],
      [{ https_proxy: 'http://[' }, 'https_proxy'],
      [{ HTTPS_PROXY: ' ', ALL_PROXY: 'ftp://secret' }, 'ALL_PROXY']
    ] as const) {
      const { warnings, config } = parse(environment)
      assert.deepEqual(warnings, [
        `${name} is not the URL of an http or https proxy; connections to AWS are made directly`
      ])
      assert.doesNotMatch(warnings.join(), /secret/)
      assert.equal(config.aws[name], environment[name])
    }
  })

  it('that can be used, or does not count, is no matter', () => {
    for (const environment of [
      { HTTPS_PROXY: 'proxy:3128' },
      { HTTPS_PROXY: 'https://u:p@proxy', ALL_PROXY: 'socks5://proxy' },
      { HTTP_PROXY: 'socks5://proxy' }
    ]) {
      assert.deepEqual(parse(environment).warnings, [])
    }
  })
})
