import { EXIT, parseArguments, UsageProblem, type Command } from './command.ts'

/** Scripts for shells: words come from the table of commands, names of streams from the server. */

const SHELLS = ['bash', 'zsh', 'fish'] as const
const PROGRAM = 'stream-manager'

const optionsOf = ({ options }: Command): string[] => [...Object.keys(options).map((name) => `--${name}`), '--help']

function takesOf({ takes }: Command): 'streams' | 'files' | readonly string[] {
  return takes === undefined || takes === 'commands' ? [] : takes
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const takes = takesOf(command)
    const words = Array.isArray(takes) ? takes.join(' ') : ''
    const names = takes === 'streams' ? '; _stream_manager_streams' : ''
    return `    ${command.name}) _stream_manager_words "${optionsOf(command).join(' ')}" "${words}"${names} ;;`
  })
  const all = commands.map(({ name }) => name).join(' ')
  return `# ${PROGRAM} for bash: source <(${PROGRAM} completion bash)
_stream_manager_words() {
  local words=$2
  [[ $word == -* ]] && words=$1
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
_stream_manager_streams() {
  local IFS=$'\\n' name
  [[ $word == -* ]] && return
  for name in $(${PROGRAM} list --names --timeout 2 2>/dev/null); do
    name=\${name// /\\\\ }
    [[ $name == "$word"* ]] && COMPREPLY+=("$name")
  done
}
_stream_manager() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  if [[ $COMP_CWORD == 1 ]]; then
    _stream_manager_words "" "${all} help version"
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    help) _stream_manager_words "" "${all}" ;;
  esac
}
complete -o default -F _stream_manager ${PROGRAM}
`
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', ',')}`)}`)
  const cases = commands.map((command) => {
    const takes = takesOf(command)
    const words = Array.isArray(takes)
      ? `compadd -- ${takes.join(' ')}`
      : takes === 'streams'
        ? `compadd -- \${(f)"$(${PROGRAM} list --names --timeout 2 2>/dev/null)"}; _files`
        : '_files'
    return `    ${command.name}) if [[ $PREFIX == -* ]]; then compadd -- ${optionsOf(command).join(' ')}; else ${words}; fi ;;`
  })
  return `#compdef ${PROGRAM}
# ${PROGRAM} for zsh: source <(${PROGRAM} completion zsh)
_stream_manager() {
  local -a commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
}
compdef _stream_manager ${PROGRAM}
`
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary } = command
    const takes = takesOf(command)
    const isSeen = `-n '__fish_seen_subcommand_from ${name}'`
    const words = Array.isArray(takes)
      ? takes.join(' ')
      : takes === 'streams'
        ? `(${PROGRAM} list --names --timeout 2 2>/dev/null)`
        : ''
    return [
      `complete -c ${PROGRAM} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...Object.keys(command.options).map((option) => `complete -c ${PROGRAM} ${isSeen} -l ${option}`),
      ...(words === '' ? [] : [`complete -c ${PROGRAM} ${isSeen} -a ${quoted(words)}`])
    ]
  })
  return `# ${PROGRAM} for fish: ${PROGRAM} completion fish | source\n${lines.join('\n')}\n`
}

/** @param commands all of them, asked for when they are known */
export function completionCommand(commands: () => readonly Command[]): Command {
  const WRITERS = { bash, zsh, fish }
  return {
    name: 'completion',
    usage: SHELLS.join(' | '),
    summary: 'prints a script with which the shell completes commands, options and names of streams',
    details: [
      `bash: source <(${PROGRAM} completion bash), in ~/.bashrc`,
      `zsh:  source <(${PROGRAM} completion zsh), in ~/.zshrc behind compinit`,
      `fish: ${PROGRAM} completion fish > ~/.config/fish/completions/${PROGRAM}.fish`
    ],
    options: {},
    takes: SHELLS,
    run(args, { write }) {
      const { positionals } = parseArguments(args, {}, 1)
      const shell = SHELLS.find((known) => known === positionals[0])
      if (shell === undefined) throw new UsageProblem(`it takes ${SHELLS.join(', ')}`)
      write(WRITERS[shell](commands()))
      return Promise.resolve(EXIT.ok)
    }
  }
}
