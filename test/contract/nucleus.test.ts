import { openSocketConnection } from '../../component/greengrass/ipc-connection.ts'
import { openSdkConnection } from '../../component/greengrass/sdk-connection.ts'
import { describeNucleus } from './nucleus-contract.ts'

describeNucleus('the own client', openSocketConnection)
describeNucleus('the AWS IoT Device SDK', openSdkConnection)
