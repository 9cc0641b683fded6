import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainLoadError } from '../../scripts/native-part-problem.ts'

/** The words of the loaders of glibc and musl. */
const MESSAGES: readonly [what: string, message: string, told: RegExp][] = [
  [
    'an old glibc',
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /a/lmdb-linux-x64.node)",
    /too old for lmdb-linux-x64\.node, which needs GLIBC_2\.34: use a system with glibc 2\.34/
  ],
  [
    'an old libstdc++',
    "/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /a/lmdb-linux-x64.node)",
    /needs GLIBCXX_3\.4\.29: use a system/
  ],
  [
    'musl without the loader of glibc',
    'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /a/lmdb-linux-x64.node)',
    /needs glibc 2\.34 or later; systems with musl, as Alpine, are not supported/
  ],
  ['musl with other symbols', 'Error relocating /a/lmdb-linux-x64.node: __register_atfork: symbol not found', /musl/],
  [
    'another processor',
    '/a/lmdb-linux-x64.node: wrong ELF class: ELFCLASS32',
    /another processor: deploy .*ELFCLASS32/
  ],
  [
    'a torn file',
    '/a/lmdb-linux-x64.node: file too short',
    /is damaged .*: deploy the component again \(.*too short\)$/
  ]
]

describe('a native part that cannot be loaded', () => {
  for (const [what, message, told] of MESSAGES) {
    it(`is explained for ${what}`, () => {
      const line = explainLoadError('lmdb-linux-x64.node', message)
      assert.match(line, told)
      assert.ok(!line.includes('\n'))
    })
  }
})
