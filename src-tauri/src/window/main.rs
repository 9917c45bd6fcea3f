fn main(){ let _ = tauri::VERSION; }
