/** A processor architecture that packages are made for. */
export interface Architecture {
  /** Name on the command line and in texts. */
  readonly name: 'x64' | 'arm64' | 'armv7'
  /** Node.js' own name, `process.arch`. */
  readonly nodeArch: 'x64' | 'arm64' | 'arm'
  /** `Platform.architecture` of a recipe (greengrass 2.1). */
  readonly recipeName: 'amd64' | 'aarch64' | 'arm'
  /** `e_machine` of its ELF files. */
  readonly elfMachine: number
  /** Programs that can strip its files, best first. */
  readonly stripPrograms: readonly string[]
  /** There is no native part of the AWS IoT Device SDK for 32-bit ARM (greengrass 0.1). */
  readonly hasAwsCrt: boolean
}

/** In the order of the recipe's manifests. */
export const ARCHITECTURES: readonly Architecture[] = [
  {
    name: 'x64',
    nodeArch: 'x64',
    recipeName: 'amd64',
    elfMachine: 62,
    stripPrograms: ['x86_64-linux-gnu-strip', 'llvm-strip', 'strip'],
    hasAwsCrt: true
  },
  {
    name: 'arm64',
    nodeArch: 'arm64',
    recipeName: 'aarch64',
    elfMachine: 183,
    stripPrograms: ['aarch64-linux-gnu-strip', 'llvm-strip', 'strip'],
    hasAwsCrt: true
  },
  {
    name: 'armv7',
    nodeArch: 'arm',
    recipeName: 'arm',
    elfMachine: 40,
    stripPrograms: ['arm-linux-gnueabihf-strip', 'llvm-strip', 'strip'],
    hasAwsCrt: false
  }
]

/** The architecture of the machine that builds, if packages are made for it. */
export const HOST_ARCHITECTURE = ARCHITECTURES.find(({ nodeArch }) => nodeArch === process.arch)
