// Entry points of the vector table.
#ifndef FIRMWARE_CPP_BOARDS_CORTEX_M_HANDLERS_H_
#define FIRMWARE_CPP_BOARDS_CORTEX_M_HANDLERS_H_

extern "C" {
void ResetHandler();
void FaultHandler();  // every fault, and every interrupt that nobody asked for
void SysTickHandler();
void UartHandler();
int main();
}

#endif  // FIRMWARE_CPP_BOARDS_CORTEX_M_HANDLERS_H_
