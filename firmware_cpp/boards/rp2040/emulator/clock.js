// Time in cycles of the cores: the clock that rp2040js' peripherals take, and a core's SysTick.
const NANOS_PER_CYCLE = 8; // 125 MHz

/** rp2040js' clock, whose time is the cycles of the core under way. `due`: cycle of the next alarm. */
export class CycleClock {
  core = null;
  due = Infinity;
  #alarms = new Set(); // those that are scheduled: two or three

  get nanos() {
    return this.core ? this.core.cycles * NANOS_PER_CYCLE : 0;
  }

  get micros() {
    return this.nanos / 1000;
  }

  createAlarm(callback) {
    const alarm = { cycle: 0, callback };
    alarm.schedule = (nanos) => {
      alarm.cycle = Math.ceil((this.nanos + nanos) / NANOS_PER_CYCLE);
      this.#alarms.add(alarm);
      this.#update();
    };
    alarm.cancel = () => {
      this.#alarms.delete(alarm);
      this.#update();
    };
    return alarm;
  }

  /** Rings what is due, the earliest first. */
  ring() {
    while (this.due <= this.core.cycles) {
      for (const alarm of this.#alarms) {
        if (alarm.cycle !== this.due) continue;
        this.#alarms.delete(alarm);
        alarm.callback();
        break;
      }
      this.#update();
    }
  }

  #update() {
    this.due = Infinity;
    for (const { cycle } of this.#alarms) this.due = Math.min(this.due, cycle);
  }
}

/** SysTick, ARMv6-M B3.3: counts down at the core's clock, from 0 to the reload value in one more cycle. */
export class SysTick {
  constructor(core, clock) {
    this.core = core;
    this.control = 0;
    this.reload = 0;
    this.value = 0; // at cycle `since`
    this.since = 0;
    this.flag = false;
    this.alarm = clock.createAlarm(() => this.#reachedZero());
  }

  #now() {
    if (!(this.control & 1)) return this.value;
    const passed = this.core.cycles - this.since;
    if (passed <= this.value) return this.value - passed;
    if (this.reload === 0) return 0;
    return this.reload - ((passed - this.value - 1) % (this.reload + 1));
  }

  #restart(value) {
    this.value = value;
    this.since = this.core.cycles;
    this.alarm.cancel();
    // A counter at 0 takes a cycle to load, and raises nothing before it has counted down again.
    const toZero = value > 0 ? value : this.reload + 1;
    if (this.control & 1 && (value > 0 || this.reload > 0)) this.alarm.schedule(toZero * NANOS_PER_CYCLE);
  }

  #reachedZero() {
    this.flag = true;
    if (this.control & 2) {
      this.core.pendingSystick = true;
      this.core.interruptsUpdated = true;
    }
    this.since += this.value > 0 ? this.value : this.reload + 1;
    this.value = 0;
    if (this.reload === 0) return;
    const next = this.since + this.reload + 1;
    this.alarm.schedule(Math.max(0, next - this.core.cycles) * NANOS_PER_CYCLE);
  }

  read(offset) {
    if (offset === 0x14) return this.reload;
    if (offset === 0x18) return this.#now();
    const control = this.control | 4 | (this.flag ? 1 << 16 : 0);
    this.flag = false;
    return control;
  }

  write(offset, value) {
    if (offset === 0x14) {
      const now = this.#now();
      this.reload = value & 0xffffff;
      this.#restart(now);
    } else if (offset === 0x18) {
      this.flag = false;
      this.#restart(0);
    } else {
      const now = this.#now();
      this.control = value & 3;
      this.#restart(now);
    }
  }
}
