/** What an operator does about a warning or an error, by its text. docs/messages.md is made of it; a test misses none. */

const REPORT = 'A bug: please report it with the lines before it'
const NOTHING = 'Nothing'
const CHECK_DEVICE = 'Check disk and file system (`dmesg`)'
const NO_CHANGES =
  'Free space on the disk, or check it. Messages are still taken, read and exported; streams cannot be created, changed or deleted until it works again, which is tried by itself'

export const REMEDIES: Readonly<Record<string, string>> = {
  // server
  '<name> is <text> but must be <allowed>': 'Correct the parameter; the server does not start with this value',
  '<name> is <text> but must be <allowed>; using the default <whenUnset>': 'Correct the parameter',
  '<name> is <bytes>, below the minimum of S3; raising it to <S3_PART_BYTES_MIN>': 'Raise the parameter',
  'STREAM_MANAGER_SETTINGS is <text> but must be a JSON object; ignoring it':
    'Give an object of names and values in the deployment, or its JSON text in the variable',
  'STREAM_MANAGER_SETTINGS has <name>, which is no setting; ignoring it':
    'Correct the name ([configuration.md](configuration.md))',
  '<name> in STREAM_MANAGER_SETTINGS must be a text, a number or a truth value; ignoring it': 'Correct the value',
  '<name> is not the URL of an http or https proxy; connections to AWS are made directly':
    'Correct the proxy in the configuration of the nucleus; other kinds of proxies, such as SOCKS, are not used',
  'STREAM_MANAGER_AUTHENTICATE_CLIENT is true but there is no Greengrass nucleus to validate tokens; start the server as a Greengrass component, or set STREAM_MANAGER_AUTHENTICATE_CLIENT to false':
    'Deploy it as a component, or set the variable to `false` on a machine whose local users you trust',
  'STREAM_MANAGER_DEVELOPER_MODE is true and there is no Greengrass nucleus; clients are not authenticated':
    'Nothing in a laboratory; elsewhere remove the variable',
  'Stream Manager cannot start': '`reason` says what is wrong: see [deploying.md](deploying.md#when-it-does-not-start)',
  'The server could not stop in order':
    'Nothing: what was acknowledged is recovered at the next start. Report it if it comes again',
  'The server ends because of a bug': `${REPORT} and the stack behind it. The nucleus starts the server again`,
  'A connection could not be accepted': 'Mostly too many open files: raise the limit of open files of the service',
  'A request was refused for lack of memory':
    'The client sent more at once than memory allows and was told; send smaller messages, or raise `-Xmx` in `JVM_ARGS` if it is set',
  'An export starts anew because its progress cannot be read':
    'Expect messages of this export a second time: it begins at its `startSequenceNumber`',

  // declared streams
  'A declaration of streams cannot be used':
    'Correct it where `problem` says ([declared-streams.md](declared-streams.md)); all others were applied',
  'A declared stream could not be created': '`reason` says why; it is tried again at the next start',
  'A declared stream could not be updated': '`reason` says why; the stream goes on as it was',
  'A declared stream was changed by a client':
    'Nothing: it is set back to its declaration. Find the program that changes `fields`, or declare what it wants',
  'A declared stream was not updated because data would be lost':
    'The stream goes on as it was. If the loss in `loss` is meant, set `allowDataLoss` to `true` for it; otherwise correct the declaration, or wait until all is exported',
  'A stream could not be deleted as declared': '`reason` says why; it is tried again at the next start',
  'A stream was updated as declared and data was lost':
    'Nothing if it was meant; take `allowDataLoss` out of the declaration',
  'What is declared cannot be remembered': `${NO_CHANGES}. Until then changes by clients are set back without a word`,

  // export
  'A sink failed in a way it should not': `${REPORT}. The batch is repeated`,
  'A task failed in a way it should not': `${REPORT}. The task is repeated`,
  'The exporter worker has ended and will be restarted; batches in flight are sent again':
    'Nothing if it comes once, after memory was short for example; report it if it comes again',
  'Export failed and will be repeated':
    '`reason` is what describing the stream shows as `errorMessage`: see [export-failures.md](export-failures.md)',
  'Exports of one kind cannot be done and keep waiting': '`reason` says why; remove the export, or make it possible',
  'Messages were removed from the stream before they were exported':
    'Data is lost to this destination: make `maxSize` or the time to live larger, or use `RejectNewData`',
  'Messages cannot be read any more and were not exported':
    'Data is lost to this destination, by damage to the store or by a power cut: see the lines of the store before it, and check disk and file system (`dmesg`)',
  'Messages were skipped because the destination can never accept them':
    'Correct the program that appended the messages `first` to `last`, which this destination does not get. `reason` says what is wrong with the newest ([export-failures.md](export-failures.md))',
  'S3 tasks have failed and will not be tried again':
    'Correct what `reason` says of the newest of the tasks `first` to `last`, a path or a permission for example ([export-failures.md](export-failures.md)), and append the tasks again; the status stream, where there is one, tells of each',
  'Skipped messages could not be kept in the dead-letter stream':
    'Create the stream that `STREAM_MANAGER_EXPORTER_DEAD_LETTER_STREAM` names, or make room in it; the skips are logged and counted all the same',
  'Status messages of S3 tasks are lost': 'Create the status stream, or make room in it; uploads go on',

  // monitor
  'A request for metrics could not be taken':
    'Mostly too many open files: raise the limit of open files of the service',
  'Metrics, health and status cannot be served':
    '`reason` says why: choose another `STREAM_MANAGER_MONITOR_PORT`; streams are served all the same',

  // nucleus
  'The nucleus does not accept this component; new clients are refused until it is restarted':
    'Restart the component: `greengrass-cli component restart --names aws.greengrass.StreamManager`, or the device',
  'The nucleus lets only the component aws.greengrass.StreamManager validate tokens; nobody can be admitted':
    'Deploy it under this very name',
  'The nucleus could not be told; the server goes on':
    'Nothing at first: it is told again until it takes it. If it never does, look into the log of the nucleus',
  'The token of a client could not be validated':
    'Nothing if the nucleus was just being restarted: the client connects again. Otherwise look into the log of the nucleus',
  'There is no connection to the nucleus; admitted clients stay, new ones are refused until it is back':
    'Start the nucleus if it is down; the server connects again by itself',

  // store: room
  'A stream is full of messages that are not exported yet':
    'Look why its exports do not get on ([export-failures.md](export-failures.md)); make `maxSize` larger, or disable the export that is not needed ([space.md](space.md))',
  'Appends are refused because the streams have used up their space':
    'Raise `STREAM_MANAGER_STORE_BUDGET_BYTES`, delete streams, or let some overwrite ([space.md](space.md))',
  'Too many messages for the new size are kept': `${CHECK_DEVICE}. The stream is full until messages expire or a later update makes room`,
  'Appends to file streams are refused':
    'Free space (or inodes) on the file system of the store; appends go on by themselves. Reads and exports are not concerned',
  'Appends to a stream fail': `${CHECK_DEVICE}, its free space and the rights of the store folder; clients are told of every failed append`,
  'The free space of the store cannot be read': `${CHECK_DEVICE} and the rights of the store folder; appends go on without the check`,
  'The catalogue cannot grow': NO_CHANGES,
  'The catalogue takes no changes': NO_CHANGES,
  'The catalogue takes no changes yet': NO_CHANGES,
  'The catalogue does not take what was recovered': NO_CHANGES,
  'A stream could not be <action>':
    'Its cause is in `error`: a full or read-only disk as a rule; repeat the call when it is mended',

  // store: the disk fails
  'A stream cannot be made durable': `${CHECK_DEVICE}. Appends to the stream are refused until it works again, which is tried by itself`,
  'A sync failed, its messages are copied to another file': `${CHECK_DEVICE}: it reported a write error. Nothing is lost so far`,
  'Messages were lost with a failed sync': `${CHECK_DEVICE}, and replace it: bytes it had taken cannot be read back`,
  'A failed write cannot be taken back, the segment is closed': `${CHECK_DEVICE}. The stream goes on in another file`,
  'The active segment was removed by another program':
    'Find what deletes files in the store; restart the component, as appends to this stream are refused',
  'A segment has disappeared, its messages count as expired': 'Find what deletes files in the store',
  'The end of a segment is missing, its messages are left out': `${CHECK_DEVICE}: the file was cut. The messages before and behind it are kept`,
  'Stored messages are damaged and are left out': `${CHECK_DEVICE}: bytes changed under a checksum. The messages around them are kept`,
  'Expired segments could not be dropped': `${CHECK_DEVICE} and the rights of the store folder; it is tried again`,
  'A dropped segment cannot be removed yet': `${CHECK_DEVICE} and the rights of the store folder; it is tried again`,
  'The folder of a deleted stream cannot be removed yet':
    'Check the rights of the folder; it is tried again at the next start',
  'A leftover file cannot be removed': 'Check the rights of the folder, and remove the file',

  // store: what a start finds
  'A torn end of a stream was cut':
    'Nothing: the power went while something was written. Use `flushOnWrite` for messages that must survive that',
  'A segment behind a torn end is discarded': `${NOTHING}: the same, over more than one file`,
  'Messages are lost to damage': `${CHECK_DEVICE}: the messages \`from\` to \`to\` cannot be read any more`,
  'Segments of a stream are missing': 'Find what deletes files in the store; their messages count as expired',
  'A segment cannot be read and is left out': `${CHECK_DEVICE} and the rights of the file, then restart the component`,
  'A segment of another stream is left alone': 'Somebody has copied files between folders of the store; move it away',
  'A torn end cannot be cut, the segment is closed': `${CHECK_DEVICE}. The stream goes on in another file`,
  'A recovered log cannot be synced': `${CHECK_DEVICE}; it is tried again`,
  'A recovered segment cannot be written again': `${CHECK_DEVICE}; its messages are copied to another file`,
  'The bytes that are cut off cannot be kept': `${NOTHING}, unless somebody wants to look at them: free some space`,
  'A stream cannot be opened and is left as it is':
    'Mend what `error` says and restart the component. The other streams serve; to give the stream up, delete it',
  'A stream was rebuilt from its segments':
    'The catalogue had lost it: check its definition, which is that of its newest segment, and expect exports to repeat',
  'The copy of a definition cannot be kept beside its segments':
    'Free space on the disk, or check the rights of the store folder; the definition itself is safe in the catalogue',
  'A definition in the catalogue cannot be read': 'Check the stream: its definition is taken from its newest segment',
  'The folder of a stream is gone, it goes on empty': 'Find what deletes folders of the store; its messages are lost',
  'The folder of a stream was written by a newer version and is left as it is':
    'Install that version again; or move the folder out of the store, if its messages are not missed',
  'A folder that belongs to no readable stream was set aside':
    'Look at it in `quarantine/` if messages are missed, else delete it',
  'A folder that belongs to no readable stream cannot be set aside':
    'Check free space and the rights of the store folder',
  'A folder that had been set aside was removed: there are newer ones': NOTHING,
  'The quarantine cannot be tidied': 'Check the rights of `quarantine/`',
  'The records of a deleted stream cannot be removed yet': `${NOTHING}: it is tried again at the next start`,
  'The clock has jumped, so nothing expires for an hour':
    'Nothing if the clock was being set; otherwise check time synchronisation',

  // catalogue
  'A commit of the catalogue failed; a new catalogue is written': `${CHECK_DEVICE} and its free space; nothing is lost`,
  'The catalogue takes no commit; a new one is written': `${CHECK_DEVICE} and its free space; nothing is lost`,
  'The catalogue is damaged and was put aside': `${CHECK_DEVICE}. It is made anew; the file \`keptAs\` may be deleted`,
  'The catalogue is damaged in part': `${CHECK_DEVICE}. With \`isWholeAgain=false\` check the definitions, and expect exports to repeat`,
  'The catalogue is lost and there is no snapshot of it':
    'Streams come back from their files; check their definitions, and expect exports to begin anew',
  'The catalogue is taken from its last snapshot':
    'Check definitions that were changed in the last minute; exports may repeat',
  'A snapshot of the catalogue cannot be read': CHECK_DEVICE,
  'A snapshot of the catalogue is damaged': CHECK_DEVICE,
  'The snapshot of the catalogue cannot be written': 'Free space on the disk; it is tried again every minute',
  'An old catalogue could not be removed': 'Check the rights of the store folder',
  'The catalogue was not closed in order': `${NOTHING}: the next start recovers it`,
  'The last start died while opening the catalogue; it is examined in another process':
    'Nothing if the power went; otherwise check the disk',
  'The opening of the catalogue cannot be marked': 'Free space on the disk'
}
