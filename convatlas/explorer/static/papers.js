// A paper's page needs nothing but the bar.

export function mount() {}
